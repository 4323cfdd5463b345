import { isAbsolute, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Composition } from "./composition.ts";
import { resolveLimits, type Limits } from "./config/limits.ts";
import type { ServerOptions } from "./config/server-options.ts";
import { isApplication } from "./core/application.ts";
import { ConfigError } from "./core/errors.ts";
import type { Service } from "./core/service.ts";
import { describeAddress, type ListenAddress } from "./net/address.ts";

// Applications import this module through `millrace`, in every worker. So what makes a server is
// only loaded once one starts: see composition.ts.

export type { ServerEvents, ServerOptions } from "./config/server-options.ts";

/** A web application server; made by `createServer`. */
export class Server implements Service {
  readonly #options: ServerOptions;
  readonly #limits: Limits;
  #address: ListenAddress;
  #parts: Composition | undefined;
  #composing: Promise<Composition> | undefined;
  #state: "new" | "starting" | "serving" | "draining" | "closed" = "new";

  /** @internal Use `createServer`. */
  constructor(options: ServerOptions) {
    this.#options = options;
    this.#limits = resolveLimits(options.limits ?? {});
    this.#address = listenAddress(options);
  }

  /** Where it listens, e.g. `http://localhost:8080`; with the real port once started. */
  get url(): string {
    return describeAddress(this.#address);
  }

  /** Where it listens; with the real port once started. */
  get address(): ListenAddress {
    return this.#address;
  }

  /** Workers that take requests now; 0 when the application runs on the edge. */
  get workerCount(): number {
    return this.#parts?.pool?.readyCount ?? 0;
  }

  /** Routes the application declared; 0 until it is loaded. */
  get routeCount(): number {
    return this.#parts?.routes.manifest.routes.length ?? 0;
  }

  /** Connections open now. */
  get connectionCount(): number {
    return this.#parts?.edge.connectionCount ?? 0;
  }

  /**
   * Loads the application and listens. Resolves once connections are accepted and the first worker
   * takes requests; the others come up beside it.
   * @throws AppLoadError (`APP_LOAD`) when the application can't be loaded, `LISTEN` when the
   *   address can't be had, ConfigError for wrong options; nothing is left running then
   */
  async start(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#state !== "new") throw new Error(`Cannot start a server that is ${this.#state}`);
    const { listener } = await this.#compose();
    try {
      await listener.start();
      this.#address = listener.address;
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
    if (signal?.aborted === true) await this[Symbol.asyncDispose]();
    signal?.throwIfAborted();
  }

  /** Loads the application without listening: enough for `inject`. */
  async load(): Promise<void> {
    await this.#compose();
  }

  /** Resolves once all workers that were asked for are up. */
  async ready(): Promise<void> {
    await this.#parts?.pool?.filled();
  }

  /**
   * Answers a request without a socket, through the same routes, limits, queue and workers. A
   * string is a path or a URL. Loads the application if that hasn't happened.
   */
  async inject(request: globalThis.Request | string, init?: RequestInit): Promise<Response> {
    if (this.#isClosed()) throw new Error("Cannot inject into a server that is closed");
    const parts = await this.#compose();
    const input = typeof request === "string" ? new URL(request, "http://localhost") : request;
    const made = new globalThis.Request(input, init);
    const signal = init?.signal ?? (typeof request === "string" ? made.signal : request.signal);
    return parts.inject(made, signal);
  }

  /**
   * Accepts no more connections, answers what was accepted, then ends; what is left at `deadline`
   * is cut.
   */
  async drain(deadline: AbortSignal): Promise<void> {
    if (this.#state !== "serving") return;
    this.#state = "draining";
    await this.#parts?.listener.close();
    await this.#parts?.edge.drain(deadline);
    await this.#parts?.pool?.drain(deadline);
    await this[Symbol.asyncDispose]();
  }

  /** Stops at once. Connections are cut, workers are ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed()) return;
    this.#state = "closed";
    await this.#stop();
  }

  async #stop(): Promise<void> {
    await this.#parts?.listener.close();
    this.#parts?.edge.close();
    await this.#parts?.pool?.[Symbol.asyncDispose]();
  }

  /** Asked by a call, because it may come to be while something is awaited. */
  #isClosed(): boolean {
    return this.#state === "closed";
  }

  /** Puts the server together, once. */
  #compose(): Promise<Composition> {
    return (this.#composing ??= this.#composeNow());
  }

  async #composeNow(): Promise<Composition> {
    this.#state = "starting";
    const { app } = this.#options;
    const { compose } = await import("./composition.ts");
    try {
      this.#parts = await compose({
        options: this.#options,
        limits: this.#limits,
        app: isApplication(app) ? app : appUrl(app),
        address: this.#address,
      });
    } catch (error) {
      this.#state = "closed";
      throw error;
    }
    if (this.#isClosed()) {
      await this.#stop();
      throw new Error("The server was stopped before it had started");
    }
    this.#state = "serving";
    return this.#parts;
  }
}

/**
 * Makes a server; `start()` runs it.
 *
 * ```ts
 * await using server = createServer({ app: new URL("./app.ts", import.meta.url), port: 8080 });
 * await server.start();
 * ```
 * @throws ConfigError for options that can't be
 */
export function createServer(options: ServerOptions): Server {
  return new Server(options);
}

function listenAddress(options: ServerOptions): ListenAddress {
  const { host = "localhost", port = 8080, socketPath } = options;
  if (socketPath !== undefined) return { path: socketPath };
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new ConfigError("PORT_RANGE", `Cannot listen on port ${port}: give 0 to 65535`);
  }
  return { host, port };
}

function appUrl(app: URL | string): string {
  if (app instanceof URL) return app.href;
  if (app.startsWith("file:")) return app;
  return pathToFileURL(isAbsolute(app) ? app : resolve(app)).href;
}
