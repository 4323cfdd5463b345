import type { Manifest } from "../core/application.ts";
import type { Responder } from "../core/responder.ts";

/**
 * A request as its worker handle sees it: what to send, and a `Responder` that takes the answer.
 * The handle plays the part of the handler.
 */
export interface WorkerRequest extends Responder {
  /** Place of the handler in the manifest, or `missIndex`. */
  readonly handlerIndex: number;
  readonly method: string;
  readonly target: string;
  readonly headerText: string;
  readonly ip: string;
  /** The whole body as a latin1 string; `null` when it follows in chunks through the handle. */
  readonly wholeBody: string | null;
  /** Which handle holds it, with its slot there; owned by the handle. */
  worker: WorkerHandle | null;
  workerSlot: number;
  /** Its number among all that this worker was sent; owned by the handle. */
  workerOrder: number;
  /**
   * Called once when the request was dispatched: a streamed body may flow through the handle from
   * now on.
   */
  dispatched(): void;
  /** The worker has read `bytes` of the request's body: as many more may be sent. */
  bodyRead(bytes: number): void;
  /** The worker is gone. `started` tells whether its handler may have run. */
  workerLost(started: boolean): void;
}

/** How busy a worker is. */
export interface WorkerLoad {
  /** Requests sent and not yet answered. */
  readonly outstanding: number;
  /** Of these, how many the worker hasn't started. */
  readonly unstarted: number;
}

/**
 * The edge's view of one worker. `WorkerThread` is the one there is; a worker process will be
 * another.
 */
export interface WorkerHandle extends AsyncDisposable {
  readonly id: number;
  readonly load: WorkerLoad;
  /** Loads the application; resolves with its manifest once the worker takes requests. */
  start(): Promise<Manifest>;
  /** Hands over a request. It leaves in one batch with all others of this turn of the loop. */
  send(request: WorkerRequest): void;
  sendBody(request: WorkerRequest, chunk: Uint8Array): void;
  endBody(request: WorkerRequest): void;
  /** Nobody waits for the answer any more. The slot stays taken until the handler is done. */
  cancel(request: WorkerRequest): void;
}

/** What a handle tells its pool. */
export interface WorkerEvents {
  /** A batch of answers was taken in: there may be room for more requests. */
  onProgress(worker: WorkerHandle): void;
  /** A handler held its worker's thread for `ms` at a stretch, which was long. */
  onHeld(handlerIndex: number, ms: number): void;
  /** The worker ended, asked to or not; its requests are told next. */
  onGone(worker: WorkerHandle, cause: Error | null): void;
}
