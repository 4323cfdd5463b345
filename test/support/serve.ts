import type { ServerOptions } from "../../src/config/server-options.ts";
import { createServer, type Server } from "../../src/server.ts";

/** The application of `test/fixtures/app.ts`. */
export const fixtureApp = new URL("../fixtures/app.ts", import.meta.url);

/** Starts a server on a free loopback port; dispose of it when done. */
export async function serve(options: Partial<ServerOptions> = {}): Promise<Server> {
  const server = createServer({
    app: fixtureApp,
    host: "127.0.0.1",
    port: 0,
    workers: 2,
    ...options,
  });
  await server.start();
  return server;
}
