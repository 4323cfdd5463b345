import type { Handler } from "./handler.ts";
import type { PathPattern } from "./request.ts";

/** Where a route's handler runs: on the edge loop itself, or on a worker thread. */
export type Placement = "edge" | "thread";

/**
 * One route as it crosses to the edge: plain data. Its place in `Manifest.routes` names its
 * handler.
 */
export interface RouteManifest {
  /**
   * Method as on the request line. A GET route also answers HEAD, unless another route of its
   * pattern does.
   */
  readonly method: string;
  readonly pattern: string;
  readonly placement: Placement;
  /** Largest request body, in bytes; beyond it the edge answers 413. */
  readonly bodyBytesMax: number;
  /** Higher starts first; −8 to 8. */
  readonly priority: number;
  /**
   * Longest wait in the request queue, in ms; beyond it the edge answers 503 and the handler never
   * starts.
   */
  readonly queueTimeoutMs: number;
  /** Where it was declared, e.g. `src/app.ts:12:3`, for messages to the developer. */
  readonly source: string;
}

/** A folder of files looked up after the routes. */
export interface FilesManifest {
  /** Path under which the folder appears: starts with `/`, ends with `/`. */
  readonly prefix: string;
  /** Absolute path of the folder. */
  readonly root: string;
}

/**
 * What an application is, as far as the edge must know: plain data, posted by the first worker that
 * loads it.
 */
export interface Manifest {
  readonly routes: readonly RouteManifest[];
  /** Folders that the edge serves itself: those declared before any of the user's middleware. */
  readonly files: readonly FilesManifest[];
  /**
   * Who answers what no route does (404, 405, automatic OPTIONS, files behind a middleware).
   * `"edge"` unless the application has middleware, files behind it, or a handler of its own for
   * that.
   */
  readonly miss: Placement;
  /** Largest body of a request that no route takes but a worker answers, in bytes. */
  readonly missBodyBytesMax: number;
}

/**
 * Names `App` objects across copies of this package (a checkout's sources beside its build, say).
 */
export const applicationBrand: unique symbol = Symbol.for("millrace.application") as never;

/** The place of the miss handler, beside the indices of `Manifest.routes`. */
export const missIndex = -1;

/** What `app()` builds and a worker loads. */
export interface Application {
  readonly [applicationBrand]: true;
  /** Checks the routes (throws `ConfigError`) and describes them. */
  manifest(): Manifest;
  /**
   * The handlers, folded with their middleware, by their place in `manifest().routes`. Each may
   * throw; what it throws goes to `recover`.
   */
  readonly handlers: readonly Handler[];
  /** The routes' patterns by the same place: they give a request its params. */
  readonly patterns: readonly PathPattern[];
  /**
   * Answers what no route does; 404, 405 with `Allow`, or automatic OPTIONS, inside the
   * application's middleware.
   */
  readonly miss: Handler;
  /**
   * Turns what a handler threw into an answer: the application's own error handler, else problem
   * details.
   */
  readonly recover: (error: unknown, request: Parameters<Handler>[0]) => ReturnType<Handler>;
}

/** Whether `value` came from `app()`, of this copy of the package or another. */
export function isApplication(value: unknown): value is Application {
  return typeof value === "object" && value !== null && applicationBrand in value;
}
