/**
 * Bun.serve with its own router. Every route is a function: a static `Response` in the table would
 * be answered without running JavaScript, which is not what the others are asked to do.
 */
import { HELLO, TEXT_10K, totalsOf, userOf, type Order } from "./answers.ts";

/** As much of Bun's API as is used here, so that its types need not be installed. */
declare const Bun: {
  serve(options: {
    hostname: string;
    port: number;
    /** Seconds of silence after which a connection is closed; 0 is never. */
    idleTimeout: number;
    development: boolean;
    routes: Record<string, Record<string, BunHandler>>;
  }): unknown;
};
type BunRequest = Request & { readonly params: Readonly<Record<string, string>> };
type BunHandler = (request: BunRequest) => Response | Promise<Response>;

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.env["PORT"]),
  idleTimeout: 0,
  development: false,
  routes: {
    "/plaintext": { GET: () => new Response(HELLO) },
    "/users/:id": { GET: (request) => Response.json(userOf(request.params["id"] ?? "")) },
    "/text": { GET: () => new Response(TEXT_10K) },
    "/orders": {
      POST: async (request) => Response.json(totalsOf((await request.json()) as Order)),
    },
  },
});
