import type { Manifest } from "../core/application.ts";
import type { Clock } from "../core/clock.ts";
import { ConfigError } from "../core/errors.ts";
import type { Service } from "../core/service.ts";
import { HandlerCosts } from "./handler-costs.ts";
import { RestartBackoff } from "./restart-backoff.ts";
import { WorkerThread } from "./worker-thread.ts";
import type { WorkerHandle } from "./worker-handle.ts";

/** What the workers of a pool run, and how many and how much. */
export interface WorkerPoolOptions {
  readonly appUrl: string;
  /** URLs of modules that every worker imports before the application. */
  readonly imports: readonly string[];
  /** How many workers run when there is little to do, and at most. */
  readonly workers: { readonly min: number; readonly max: number };
  /** Requests one worker may hold at once, started or not. */
  readonly concurrency: number;
  /**
   * Requests one worker may hold that it hasn't started. They wait there instead of in the queue:
   * keep it small.
   */
  readonly unstartedMax: number;
  readonly clock: Clock;
  readonly events: WorkerPoolEvents;
}

/** What a pool tells its owner. */
export interface WorkerPoolEvents {
  /** There may be room for more requests. */
  onRoom(): void;
  onWorkerReady?(worker: WorkerHandle): void;
  onWorkerGone?(worker: WorkerHandle, cause: Error | null): void;
  /** A replacement could not load the application; it will be tried again after a pause. */
  onStartFailed?(cause: Error, retryMs: number): void;
}

/**
 * How long the newest of more than `min` workers must have been idle before it is let go, in ms.
 */
const idleShrinkMs = 30_000;

/**
 * Requests for light handlers that go to one worker in one turn: at 50 µs each, the last waits less
 * than a millisecond.
 */
const togetherMax = 64;

/**
 * How many more requests than the least loaded worker the one may hold that light requests go to.
 */
const imbalanceMax = 128;

/** A thread that is at work now counts as so many requests more. */
const busyWeight = 4;

/**
 * A worker that lives this long has shown that the application can live: failures before it count
 * no more.
 */
const soundLifeMs = 10_000;

type State = "new" | "serving" | "draining" | "closed";

/**
 * The worker threads of one server: starts them, gives each request to one, replaces those that
 * die.
 */
export class WorkerPool implements Service {
  readonly #options: WorkerPoolOptions;
  readonly #ready: WorkerThread[] = [];
  readonly #starting = new Map<WorkerThread, Promise<void>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #backoff: RestartBackoff;
  #state: State = "new";
  #manifest: Manifest | undefined;
  #target: number;
  #nextId = 1;
  /**
   * The worker that light requests go to, and the fewest that any worker had outstanding when it
   * was chosen.
   */
  #current: WorkerThread | null = null;
  #leastLoaded = 0;
  readonly #costs = new HandlerCosts();
  readonly #togetherMax: number;
  #idleSinceMs = 0;
  #onIdle: (() => void) | undefined;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#target = options.workers.min;
    this.#togetherMax = Math.min(togetherMax, options.unstartedMax);
    this.#backoff = new RestartBackoff({ clock: options.clock, soundLifeMs });
  }

  /** Workers that take requests now. */
  get readyCount(): number {
    return this.#ready.length;
  }

  /** The application's manifest. Throws before `start` has resolved. */
  get manifest(): Manifest {
    if (this.#manifest === undefined)
      throw new Error("The pool has no manifest before it was started");
    return this.#manifest;
  }

  /**
   * Starts the first worker, then the others beside it. Resolves once the first takes requests.
   * @throws `AppLoadError` when the application can't be loaded; nothing is left running
   */
  async start(): Promise<void> {
    const first = this.#create();
    this.#starting.set(first, Promise.resolve());
    try {
      this.#manifest = await first.start();
    } catch (cause) {
      this.#state = "closed";
      throw cause;
    } finally {
      this.#starting.delete(first);
    }
    this.#state = "serving";
    this.#add(first);
    this.#fill();
  }

  /**
   * Resolves once as many workers as wanted are ready, one can't be started, or the pool closes.
   */
  async filled(): Promise<void> {
    await Promise.all([...this.#starting.values()]);
  }

  /**
   * The worker to give the next request for this handler to; `null` when none can take one now.
   *
   * Requests for light handlers go together: to one worker, as long as it keeps up and holds little
   * more than the others. One message a turn then carries many of them, which costs far less than
   * many carrying one each. Requests for handlers that held a thread for long go to the worker with
   * the fewest outstanding, each on its own.
   */
  pick(handlerIndex: number): WorkerThread | null {
    const { concurrency } = this.#options;
    const current = this.#current;
    const light = this.#costs.isLight(handlerIndex);
    if (
      light &&
      current?.mayJoin(this.#togetherMax) === true &&
      current.outstanding < concurrency
    ) {
      if (current.outstanding - this.#leastLoaded < imbalanceMax) return current;
    }
    return (this.#current = this.#pickLeastLoaded());
  }

  /** Whether any worker can take a request now. */
  get hasRoom(): boolean {
    const { concurrency, unstartedMax } = this.#options;
    return this.#ready.some(
      (worker) => worker.outstanding < concurrency && worker.unstarted < unstartedMax,
    );
  }

  #pickLeastLoaded(): WorkerThread | null {
    const { concurrency, unstartedMax } = this.#options;
    let best: WorkerThread | null = null;
    let fewest = Infinity;
    this.#leastLoaded = Infinity;
    for (const worker of this.#ready) {
      const { outstanding } = worker;
      if (outstanding < this.#leastLoaded) this.#leastLoaded = outstanding;
      if (outstanding >= concurrency || worker.unstarted >= unstartedMax) continue;
      const load = outstanding + (worker.mayJoin(this.#togetherMax) ? 0 : busyWeight);
      if (load >= fewest) continue;
      best = worker;
      fewest = load;
    }
    return best;
  }

  /**
   * Requests wait: have the workers tell when they start what they hold, and grow if there is leave
   * to.
   */
  requestRoom(): void {
    for (const worker of this.#ready) worker.requestProgress();
    if (this.#target < this.#options.workers.max && this.#starting.size === 0) {
      this.#target += 1;
      this.#fill();
    }
  }

  /**
   * Called a few times a second: forgets old costs, and lets a worker go that has had nothing to do
   * for long.
   */
  tick(nowMs: number): void {
    this.#costs.fade(nowMs);
    const newest = this.#ready.at(-1);
    const { min } = this.#options.workers;
    if (this.#target <= min || newest === undefined || newest.outstanding > 0) {
      this.#idleSinceMs = nowMs;
      return;
    }
    if (nowMs - this.#idleSinceMs < idleShrinkMs) return;
    this.#idleSinceMs = nowMs;
    this.#target -= 1;
    this.#ready.pop();
    this.#current = null;
    void newest[Symbol.asyncDispose]();
  }

  async drain(deadline: AbortSignal): Promise<void> {
    this.#state = "draining";
    if (!this.#busy() || deadline.aborted) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      deadline.addEventListener("abort", () => resolve(), { once: true });
    });
    this.#onIdle = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state = "closed";
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#current = null;
    const all = [...this.#ready.splice(0), ...this.#starting.keys()];
    await Promise.all(all.map((worker) => worker[Symbol.asyncDispose]()));
  }

  #busy(): boolean {
    return this.#ready.some((worker) => worker.outstanding > 0);
  }

  #create(): WorkerThread {
    const { appUrl, imports } = this.#options;
    return new WorkerThread({ id: this.#nextId++, appUrl, imports, events: this });
  }

  #add(worker: WorkerThread): void {
    this.#ready.push(worker);
    this.#backoff.workerReady(worker.id);
    this.#options.events.onWorkerReady?.(worker);
    this.#options.events.onRoom();
  }

  #fill(): void {
    while (
      this.#running &&
      this.#ready.length + this.#starting.size + this.#timers.size < this.#target
    ) {
      const pauseMs = this.#backoff.pauseMs();
      if (pauseMs > 0) this.#fillLater(pauseMs);
      else this.#startOne();
    }
  }

  get #running(): boolean {
    return this.#state === "serving" || this.#state === "draining";
  }

  #fillLater(pauseMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#startOne();
    }, pauseMs);
    this.#timers.add(timer);
  }

  #startOne(): void {
    const worker = this.#create();
    this.#starting.set(worker, this.#bringUp(worker));
  }

  async #bringUp(worker: WorkerThread): Promise<void> {
    try {
      this.#requireSameManifest(await worker.start());
      this.#starting.delete(worker);
      if (this.#running) this.#add(worker);
    } catch (cause) {
      this.#starting.delete(worker);
      void worker[Symbol.asyncDispose]();
      if (!this.#running) return;
      this.#backoff.workerFailed(worker.id);
      this.#options.events.onStartFailed?.(cause as Error, this.#backoff.pauseMs());
      this.#fill();
    }
  }

  /** Handlers are named by their place, so every worker must have them at the same places. */
  #requireSameManifest(manifest: Manifest): void {
    if (JSON.stringify(manifest) === JSON.stringify(this.#manifest)) return;
    throw new ConfigError(
      "MANIFEST_DIFFERS",
      "The application declared other routes in this worker than in the first one: " +
        "declare the same routes, in the same order, every time the module is loaded",
    );
  }

  /** @internal called by the handles */
  onProgress(): void {
    this.#options.events.onRoom();
    if (this.#onIdle !== undefined && !this.#busy()) this.#onIdle();
  }

  /** @internal called by the handles */
  onHeld(handlerIndex: number): void {
    this.#costs.held(handlerIndex);
  }

  /** @internal called by the handles */
  onGone(worker: WorkerHandle, cause: Error | null): void {
    const at = this.#ready.indexOf(worker as WorkerThread);
    if (at < 0) return; // let go on purpose
    this.#ready.splice(at, 1);
    this.#current = null;
    this.#backoff.workerFailed(worker.id);
    this.#options.events.onWorkerGone?.(worker, cause);
    this.#fill();
    this.onProgress();
  }
}
