import type { MessagePort } from "node:worker_threads";
import { missIndex, type Application } from "../core/application.ts";
import { Request } from "../core/request.ts";
import { runHandler, type ReportError } from "../core/run.ts";
import { chunkBytes, methodOf, shared, toWorker, type Batch } from "./codec.ts";
import { Outbox } from "./outbox.ts";
import { WorkerExchange, type RunningRequests } from "./worker-exchange.ts";

/**
 * A handler that held the thread longer than this is reported, and what is answered goes out before
 * the next one starts: ten times what light handlers take, and little enough to wait behind.
 */
const heldMs = 0.1;

/** What a worker runs, and how it hears from the edge. */
export interface RequestLoopOptions {
  readonly application: Application;
  readonly port: MessagePort;
  readonly memory: Int32Array;
  /** Told of every error that no client may see. */
  readonly report: ReportError;
}

/** The worker's side of the millrace: takes batches in, runs handlers, sends batches out. */
export class RequestLoop {
  readonly #options: RequestLoopOptions;
  readonly #outbox: Outbox;
  readonly #running: RunningRequests = [];
  readonly #handlers: Application["handlers"];
  readonly #patterns: Application["patterns"];
  #ip = "";
  #started = 0;

  constructor(options: RequestLoopOptions) {
    this.#options = options;
    this.#outbox = new Outbox(options.port);
    this.#handlers = options.application.handlers;
    this.#patterns = options.application.patterns;
  }

  /** Takes requests from now on. */
  listen(): void {
    this.#options.port.on("message", (batch: Batch) => this.#receive(batch));
  }

  #receive(batch: Batch): void {
    const { memory } = this.#options;
    Atomics.store(memory, shared.busy, 1);
    let at = 0;
    let lastMs = performance.now();
    while (at < batch.length) {
      const slot = batch[at + 1] as number;
      switch (batch[at]) {
        case toWorker.request: {
          this.#run(batch, at, slot);
          const nowMs = performance.now();
          if (nowMs - lastMs > heldMs) {
            this.#outbox.held(batch[at + 2] as number, nowMs - lastMs);
            this.#outbox.flush();
          }
          lastMs = nowMs;
          at += 8;
          break;
        }
        case toWorker.bodyChunk:
          this.#running[slot]?.body?.push(chunkBytes(batch[at + 2] as string | Uint8Array));
          at += 3;
          break;
        case toWorker.bodyEnd:
          this.#running[slot]?.body?.end();
          at += 2;
          break;
        case toWorker.cancel:
          this.#running[slot]?.cancel(new DOMException("The client is gone", "AbortError"));
          at += 2;
          break;
        default:
          this.#running[slot]?.addCredit(batch[at + 2] as number);
          at += 3;
      }
    }
    Atomics.store(memory, shared.busy, 0);
    if (Atomics.load(memory, shared.waiting) === 1) {
      Atomics.store(memory, shared.waiting, 0);
      this.#outbox.sayProgress();
    }
  }

  #ipOf(sent: string | null): string {
    if (sent !== null) this.#ip = sent;
    return this.#ip;
  }

  #run(batch: Batch, at: number, slot: number): void {
    const { application, memory, report } = this.#options;
    this.#started = (this.#started + 1) | 0;
    // Before the handler runs: should it take the worker down, the edge reads here whose fault it
    // may be.
    Atomics.store(memory, shared.started, this.#started);
    const index = batch[at + 2] as number;
    const wholeBody = batch[at + 7] as string | null;
    const exchange = new WorkerExchange(this.#outbox, this.#running, slot);
    const request = new Request(
      methodOf(batch[at + 3] as number | string),
      batch[at + 4] as string,
      batch[at + 5] as string,
      this.#ipOf(batch[at + 6] as string | null),
      this.#patterns[index] ?? null,
      wholeBody ?? exchange.openBody(),
    );
    exchange.request = request;
    this.#running[slot] = exchange;
    const handler = index === missIndex ? application.miss : this.#handlers[index];
    if (handler === undefined)
      throw new Error(`The edge named handler ${index}, which is not there`);
    runHandler({ application, handler, request, responder: exchange, report });
  }
}
