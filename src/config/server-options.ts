import type { Application } from "../core/application.ts";
import type { Limits } from "./limits.ts";
import type { WorkerCount } from "./worker-count.ts";

/** Everything a server can be told. All but `app` have defaults. */
export interface ServerOptions {
  /**
   * The application: the URL or path of a module that exports `default app()`, which workers load;
   * or an `app()` object, which then runs on the edge loop itself, without workers (for tests and
   * small tools).
   */
  readonly app: URL | string | Application;
  /**
   * Host name or address to listen on. Default `"localhost"`: both loopback addresses, nobody
   * outside.
   */
  readonly host?: string;
  /** TCP port, 0 for any free one. Default 8080. */
  readonly port?: number;
  /** Path of a Unix socket to listen on instead of a host and port. */
  readonly socketPath?: string;
  /**
   * Connections the system may hold before they are accepted. Default 511; the system may cap it
   * (`somaxconn`).
   */
  readonly backlog?: number;
  /** Worker threads. Default: one more than `os.availableParallelism()`. */
  readonly workers?: WorkerCount;
  /**
   * URLs of modules that every worker imports before the application, in this order: loaders,
   * instrumentation. They are not imported here; an application with edge routes runs in this
   * process too, so import them before `start` then.
   */
  readonly imports?: readonly string[];
  /** Bounds; see `Limits` for each with its default and reason. */
  readonly limits?: Partial<Limits>;
  /** The `Server` field of answers; `false` for none. Default `"Millrace"`, without a version. */
  readonly serverField?: string | false;
  /** Told of what happens to workers. */
  readonly events?: ServerEvents;
}

/** What a server tells its owner. */
export interface ServerEvents {
  workerReady?(id: number): void;
  /** A worker ended, and a new one takes its place. `cause` is null when it exited by itself. */
  workerGone?(id: number, cause: Error | null): void;
  /** The application could not be loaded again; the next try is in `retryMs`. */
  workerStartFailed?(cause: Error, retryMs: number): void;
  /** A handler on the edge threw what no client may see. Default: printed to standard error. */
  handlerFailed?(error: unknown, request: { readonly method: string; readonly path: string }): void;
}
