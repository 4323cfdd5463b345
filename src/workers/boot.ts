import type { MessagePort } from "node:worker_threads";
import type { Manifest } from "../core/application.ts";

/** What a worker is given at birth. */
export interface BootData {
  /** `file:` URL of the application module. */
  readonly appUrl: string;
  /** URLs of modules to import before the application: loaders, say. */
  readonly imports: readonly string[];
  /** Batches travel here; the worker's own port carries only its boot report. */
  readonly port: MessagePort;
  /** Words shared with the edge; see `shared` in codec.ts. */
  readonly memory: Int32Array;
}

/** The one message a worker sends before it takes requests. */
export type BootReport =
  | { readonly kind: "ready"; readonly manifest: Manifest }
  | ({ readonly kind: "failed" } & LoadFailure);

/** Why an application can't be loaded, as text: the error itself may hold what can't be posted. */
export interface LoadFailure {
  readonly message: string;
  readonly code?: string | undefined;
  readonly stack?: string | undefined;
  /** What the developer can do about it, where that is known. */
  readonly hint?: string | undefined;
}
