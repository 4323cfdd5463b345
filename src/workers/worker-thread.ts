import {
  MessageChannel,
  receiveMessageOnPort,
  Worker,
  type MessagePort,
} from "node:worker_threads";
import type { Manifest } from "../core/application.ts";
import { AppLoadError } from "./app-load-error.ts";
import {
  ChunkedBatch,
  HeaderTextReceiver,
  chunkBytes,
  methodCode,
  shared,
  toEdge,
  toWorker,
  type Batch,
} from "./codec.ts";
import type { BootData, BootReport } from "./boot.ts";
import type { WorkerEvents, WorkerHandle, WorkerLoad, WorkerRequest } from "./worker-handle.ts";

/** What one worker thread is started with. */
export interface WorkerThreadOptions {
  /** Unique in the server; also names the thread. */
  readonly id: number;
  /** `file:` URL of the application module. */
  readonly appUrl: string;
  /** URLs of modules to import before the application. */
  readonly imports: readonly string[];
  readonly events: WorkerEvents;
}

type State = "new" | "starting" | "ready" | "gone";

/** A worker thread, seen from the edge. */
export class WorkerThread implements WorkerHandle {
  readonly id: number;
  readonly #options: WorkerThreadOptions;
  readonly #requests: (WorkerRequest | null)[] = [];
  readonly #freeSlots: number[] = [];
  readonly #headerTexts = new HeaderTextReceiver();
  readonly #memory = new Int32Array(new SharedArrayBuffer(4 * shared.words));
  #state: State = "new";
  #worker: Worker | undefined;
  #port: MessagePort | undefined;
  #exited: Promise<void> = Promise.resolve();
  #cause: Error | null = null;
  readonly #batch = new ChunkedBatch();
  #flushScheduled = false;
  #lastIp = "";
  #sent = 0;
  /** Requests in the batch of this turn. */
  #batched = 0;
  #outstanding = 0;

  constructor(options: WorkerThreadOptions) {
    this.id = options.id;
    this.#options = options;
  }

  get load(): WorkerLoad {
    return { outstanding: this.#outstanding, unstarted: this.unstarted };
  }

  /** Requests sent and not yet answered. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Of these, how many the worker hasn't started, as of now: read from shared memory. */
  get unstarted(): number {
    return (this.#sent - Atomics.load(this.#memory, shared.started)) | 0;
  }

  /**
   * Whether one more light request may join what this worker is sent this turn: it holds fewer than
   * `batchedMax` of this turn, and before this turn's it had nothing to do.
   */
  mayJoin(batchedMax: number): boolean {
    if (this.#batched > 0) return this.#batched < batchedMax;
    return Atomics.load(this.#memory, shared.busy) === 0 && this.unstarted === 0;
  }

  start(): Promise<Manifest> {
    this.#state = "starting";
    const { port1, port2 } = new MessageChannel();
    const { appUrl, imports } = this.#options;
    const boot: BootData = { appUrl, imports, port: port2, memory: this.#memory };
    const entry = new URL(
      import.meta.url.endsWith(".ts") ? "./entry.ts" : "./entry.js",
      import.meta.url,
    );
    const worker = new Worker(entry, {
      name: `millrace-worker-${this.id}`,
      workerData: boot,
      transferList: [port2],
    });
    this.#worker = worker;
    this.#port = port1;
    port1.on("message", (batch: Batch) => this.#receive(batch));
    worker.on("error", (error: unknown) => {
      this.#cause = error instanceof Error ? error : new Error(String(error));
    });
    this.#exited = new Promise((resolve) => {
      worker.once("exit", () => {
        this.#onExit();
        resolve();
      });
    });
    return new Promise((resolve, reject) => {
      worker.once("message", (report: BootReport) => {
        if (report.kind === "failed") {
          this.#cause = new AppLoadError(this.#options.appUrl, report);
          void worker.terminate();
          return;
        }
        this.#state = "ready";
        resolve(report.manifest);
      });
      // Comes before #onExit's listeners have run only if the thread never got ready; settled
      // promises ignore it.
      worker.once("exit", (code) => {
        const message = `A worker ended with code ${code} before the application was loaded`;
        reject(this.#cause ?? new AppLoadError(this.#options.appUrl, { message }));
      });
    });
  }

  send(request: WorkerRequest): void {
    const slot = this.#freeSlots.pop() ?? this.#requests.length;
    this.#requests[slot] = request;
    this.#sent = (this.#sent + 1) | 0;
    this.#outstanding += 1;
    request.worker = this;
    request.workerSlot = slot;
    request.workerOrder = this.#sent;
    this.#batch.records.push(
      toWorker.request,
      slot,
      request.handlerIndex,
      methodCode(request.method),
      request.target,
      request.headerText,
      request.ip === this.#lastIp ? null : request.ip,
      request.wholeBody,
    );
    this.#lastIp = request.ip;
    this.#batched += 1;
    this.#scheduleFlush();
    request.dispatched();
  }

  sendBody(request: WorkerRequest, chunk: Uint8Array): void {
    if (request.worker !== this) return;
    this.#batch.addChunk(toWorker.bodyChunk, request.workerSlot, chunk);
    this.#scheduleFlush();
  }

  endBody(request: WorkerRequest): void {
    if (request.worker !== this) return;
    this.#batch.records.push(toWorker.bodyEnd, request.workerSlot);
    this.#scheduleFlush();
  }

  cancel(request: WorkerRequest): void {
    if (request.worker !== this) return;
    this.#batch.records.push(toWorker.cancel, request.workerSlot);
    this.#scheduleFlush();
  }

  /** Asks the worker to say when it has started something, though it has nothing to answer. */
  requestProgress(): void {
    Atomics.store(this.#memory, shared.waiting, 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state !== "gone") await this.#worker?.terminate();
    await this.#exited;
  }

  /**
   * One message for all of this turn: `setImmediate` runs once the loop has taken in every ready
   * socket.
   */
  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(flush, this);
  }

  /** Sends what this turn gathered. */
  flush(): void {
    this.#flushScheduled = false;
    this.#batched = 0;
    if (this.#state === "gone" || this.#batch.records.length === 0) return;
    this.#port?.postMessage(this.#batch.records, this.#batch.transfers);
    this.#batch.clear();
  }

  #receive(batch: Batch): void {
    let at = 0;
    while (at < batch.length) {
      const operation = batch[at];
      const slot = batch[at + 1] as number;
      const request = this.#requests[slot] as WorkerRequest;
      switch (operation) {
        case toEdge.answer:
          this.#release(request);
          request.answer(
            batch[at + 2] as number,
            this.#headerTexts.decode(batch[at + 3] as string | number),
            batch[at + 4] as string,
          );
          at += 5;
          break;
        case toEdge.start:
          request.start(
            batch[at + 2] as number,
            this.#headerTexts.decode(batch[at + 3] as string | number),
            batch[at + 4] as number,
          );
          at += 5;
          break;
        case toEdge.chunk:
          this.#passChunk(request, chunkBytes(batch[at + 2] as string | Uint8Array));
          at += 3;
          break;
        case toEdge.end:
          this.#release(request);
          request.end();
          at += 2;
          break;
        case toEdge.fail:
          this.#release(request);
          request.fail(null);
          at += 2;
          break;
        case toEdge.held:
          this.#options.events.onHeld(slot, (batch[at + 2] as number) / 1_000);
          at += 3;
          break;
        default:
          request.bodyRead(batch[at + 2] as number);
          at += 3;
      }
    }
    this.#options.events.onProgress(this);
  }

  #passChunk(request: WorkerRequest, chunk: Uint8Array): void {
    const wait = request.write(chunk);
    if (wait === undefined) this.#giveCredit(request, chunk.byteLength);
    else void wait.then(() => this.#giveCredit(request, chunk.byteLength));
  }

  #giveCredit(request: WorkerRequest, bytes: number): void {
    if (request.worker !== this) return;
    this.#batch.records.push(toWorker.credit, request.workerSlot, bytes);
    this.#scheduleFlush();
  }

  #release(request: WorkerRequest): void {
    this.#requests[request.workerSlot] = null;
    this.#freeSlots.push(request.workerSlot);
    this.#outstanding -= 1;
    request.worker = null;
  }

  #onExit(): void {
    // Answers that were posted before the end count.
    for (;;) {
      const last = this.#port === undefined ? undefined : receiveMessageOnPort(this.#port);
      if (last === undefined) break;
      this.#receive(last.message as Batch);
    }
    const wasReady = this.#state === "ready";
    this.#state = "gone";
    this.#port?.close();
    // Before its requests look for another worker, the pool must know that it isn't this one.
    if (wasReady) this.#options.events.onGone(this, this.#cause);
    const started = Atomics.load(this.#memory, shared.started);
    for (const request of this.#requests) {
      if (request === null) continue;
      this.#release(request);
      request.workerLost(((request.workerOrder - started) | 0) <= 0);
    }
  }
}

function flush(worker: WorkerThread): void {
  worker.flush();
}
