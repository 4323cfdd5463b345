import type { Clock } from "../core/clock.ts";
import { RequestQueue } from "../queue/request-queue.ts";
import { DrainRate } from "../queue/retry-after.ts";
import type { WorkerPool } from "../workers/worker-pool.ts";
import type { Exchange } from "./exchange.ts";

/** What a dispatcher works with. */
export interface DispatcherOptions {
  readonly pool: WorkerPool;
  readonly queuedMax: number;
  readonly clock: Clock;
  /** Answers for an exchange that no worker will: the queue was full, or its time ran out there. */
  readonly refuse: (exchange: Exchange, detail: string, retryAfterSeconds: number) => void;
}

/** Gives requests to workers: at once when one can start it, through the queue when none can. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #queue: RequestQueue<Exchange>;
  readonly #rate = new DrainRate();
  #taken = 0;

  constructor(options: DispatcherOptions) {
    const { queuedMax, clock } = options;
    this.#options = options;
    this.#queue = new RequestQueue({
      queuedMax,
      clock,
      onExpired: (exchange) => this.#expired(exchange),
    });
  }

  /** Requests that wait for a worker. */
  get queued(): number {
    return this.#queue.size;
  }

  dispatch(exchange: Exchange): void {
    const worker = this.#queue.size === 0 ? this.#options.pool.pick(exchange.handlerIndex) : null;
    if (worker !== null) {
      worker.send(exchange);
    } else if (this.#queue.push(exchange)) {
      this.#waitForRoom();
    } else {
      this.#refuse(exchange, "The server has more requests waiting than it can take");
    }
  }

  /** The client is gone: the exchange must not start. */
  remove(exchange: Exchange): void {
    if (exchange.queueSlot >= 0) this.#queue.remove(exchange);
  }

  /** Hands out what waits, as far as there is room. */
  pump(): void {
    const { pool } = this.#options;
    while (this.#queue.size > 0) {
      if (!pool.hasRoom) return this.#waitForRoom();
      const exchange = this.#queue.take();
      if (exchange === undefined) return;
      const worker = pool.pick(exchange.handlerIndex);
      if (worker === null) throw new Error("A pool with room named no worker");
      this.#taken += 1;
      worker.send(exchange);
    }
  }

  #waitForRoom(): void {
    const { pool } = this.#options;
    pool.requestRoom();
    // A worker may have started what it held between being asked for room and being told that
    // something waits; then nobody would say so again.
    if (pool.hasRoom) this.pump();
  }

  /** Refuses what has waited too long, and measures. Called a few times a second. */
  tick(nowMs: number): void {
    this.#queue.expire();
    this.#options.pool.tick(nowMs);
    this.pump();
    this.#rate.took(this.#taken, nowMs);
    this.#taken = 0;
  }

  /** Refuses all that waits. */
  refuseAll(detail: string): void {
    for (const exchange of this.#queue.drain()) this.#refuse(exchange, detail);
  }

  #expired(exchange: Exchange): void {
    this.#refuse(exchange, "The request waited too long for a worker");
  }

  #refuse(exchange: Exchange, detail: string): void {
    this.#options.refuse(exchange, detail, this.#rate.retryAfterSeconds(this.#queue.size));
  }
}
