/** What waits for a worker: bounded, by priority, then deadline, then arrival. */
import type { Clock } from "../core/clock.ts";
import { ConfigError, MillraceError } from "../core/errors.ts";
import { DeadlineHeap, type Queued } from "./deadline-heap.ts";

export type { Queued } from "./deadline-heap.ts";

/** The last to be served. */
export const PRIORITY_MIN = -8;
/** The first to be served. Seventeen levels: enough for people, and few enough to look at each. */
export const PRIORITY_MAX = 8;

/** The bound of a queue, its clock, and who hears of what expires. */
export interface RequestQueueOptions<T> {
  /**
   * Most items that wait at once, an integer from 0 (nothing ever waits). Bounds memory, and the
   * wait: what is beyond is better refused at once than served when nobody waits for it any more.
   */
  readonly queuedMax: number;
  readonly clock: Clock;
  /**
   * Told of each item that waited past its deadline, when it is out of the queue already; it may
   * use the queue. Called from `take`, `expire` and a `push` that finds the queue full. What it
   * throws comes out there; the others stay.
   */
  readonly onExpired: (item: T) => void;
}

/**
 * The queue in front of the workers. A higher priority always goes first, so a lower one may
 * starve, but never beyond its deadline. An item may start up to and including `expiresAtMs`.
 *
 * One heap by deadline for each priority: the first of a heap is the first of its level to start
 * and also the first to expire, so that expired ones of every level are found at the tops. There
 * are no timers: whoever owns the queue calls `expire` now and then.
 */
export class RequestQueue<T extends Queued> {
  readonly #queuedMax: number;
  readonly #clock: Clock;
  readonly #onExpired: (item: T) => void;
  readonly #levels: readonly DeadlineHeap<T>[];
  /** Bit n is set when level n (priority n + PRIORITY_MIN) holds something. */
  #occupied = 0;
  #size = 0;
  #arrivals = 0;
  /** Nothing expires before this: never later than the earliest deadline, sometimes earlier. */
  #quietUntilMs = Infinity;

  /** Throws ConfigError `QUEUE_MAX` for a bound that is not an integer from 0. */
  constructor(options: RequestQueueOptions<T>) {
    const { queuedMax, clock, onExpired } = options;
    if (!Number.isSafeInteger(queuedMax) || queuedMax < 0) {
      const message = `Cannot bound the queue at ${queuedMax}: give an integer from 0`;
      throw new ConfigError("QUEUE_MAX", message);
    }
    this.#queuedMax = queuedMax;
    this.#clock = clock;
    this.#onExpired = onExpired;
    this.#levels = Array.from({ length: levelOf(PRIORITY_MAX) + 1 }, () => new DeadlineHeap<T>());
  }

  /** How many wait, expired ones included that nobody has come across yet. */
  get size(): number {
    return this.#size;
  }

  /**
   * Lets an item wait; false when the queue is full, also after expired ones have made room: then
   * answer 503 at once. O(log n), O(1) for arrivals in deadline order. Throws ConfigError
   * `QUEUE_PRIORITY` or `QUEUE_DEADLINE` for a priority out of range or a deadline that is NaN,
   * MillraceError `QUEUE_TWICE` for an item that waits already.
   */
  push(item: T): boolean {
    assertQueueable(item);
    if (this.#size >= this.#queuedMax) {
      this.expire();
      if (this.#size >= this.#queuedMax) return false;
    }
    item.queueOrder = this.#arrivals++;
    const level = levelOf(item.priority);
    this.#heap(level).push(item);
    this.#occupied |= 1 << level;
    this.#size += 1;
    if (item.expiresAtMs < this.#quietUntilMs) this.#quietUntilMs = item.expiresAtMs;
    return true;
  }

  /**
   * The next to start: of the highest priority the one with the earliest deadline. Expired ones in
   * its way go to `onExpired`. O(log n).
   */
  take(): T | undefined {
    const nowMs = this.#clock.now();
    while (this.#occupied !== 0) {
      const item = this.#heap(highestBit(this.#occupied)).head;
      if (item === undefined) break;
      this.#remove(item);
      if (nowMs <= item.expiresAtMs) return item;
      this.#onExpired(item);
    }
    return undefined;
  }

  /** Takes out an item whose client is gone; false when it does not wait here. O(log n). */
  remove(item: T): boolean {
    if (this.#levels[levelOf(item.priority)]?.has(item) !== true) return false;
    this.#remove(item);
    return true;
  }

  /**
   * Hands every item past its deadline to `onExpired` and returns how many. Highest priority first,
   * then earliest deadline. One comparison when it is too early for any; else O(log n) for each.
   */
  expire(): number {
    const nowMs = this.#clock.now();
    if (nowMs <= this.#quietUntilMs) return 0;
    let count = 0;
    // A callback may push what has expired already: no more than waited at the beginning, or this
    // need not end.
    for (let left = this.#size; left > 0; left -= 1) {
      const item = this.#firstExpired(nowMs);
      if (item === undefined) break;
      this.#remove(item);
      count += 1;
      this.#onExpired(item);
    }
    this.#quietUntilMs = this.#earliestMs();
    return count;
  }

  /** Empties the queue, for shutdown: everything, in the order of `take`, expired ones among it. */
  drain(): T[] {
    this.#occupied = 0;
    this.#size = 0;
    return this.#levels.toReversed().flatMap((heap) => heap.drain());
  }

  #remove(item: T): void {
    const level = levelOf(item.priority);
    const heap = this.#heap(level);
    heap.remove(item);
    if (heap.size === 0) this.#occupied &= ~(1 << level);
    this.#size -= 1;
  }

  /** Of the highest priority that has any. Only the tops need a look, seventeen at most. */
  #firstExpired(nowMs: number): T | undefined {
    for (let rest = this.#occupied; rest !== 0; rest ^= 1 << highestBit(rest)) {
      const head = this.#heap(highestBit(rest)).head;
      if (head !== undefined && nowMs > head.expiresAtMs) return head;
    }
    return undefined;
  }

  #earliestMs(): number {
    let earliestMs = Infinity;
    for (const { head } of this.#levels) {
      if (head !== undefined) earliestMs = Math.min(earliestMs, head.expiresAtMs);
    }
    return earliestMs;
  }

  #heap(level: number): DeadlineHeap<T> {
    const heap = this.#levels[level];
    if (heap === undefined) throw new RangeError(`There is no queue level ${level}`);
    return heap;
  }
}

/** Whether a queue takes this priority: an integer from `PRIORITY_MIN` to `PRIORITY_MAX`. */
export function isPriority(priority: number): boolean {
  return Number.isInteger(priority) && priority >= PRIORITY_MIN && priority <= PRIORITY_MAX;
}

function assertQueueable(item: Queued): void {
  if (!isPriority(item.priority)) {
    const wanted = `give an integer from ${PRIORITY_MIN} to ${PRIORITY_MAX}`;
    throw new ConfigError("QUEUE_PRIORITY", `Cannot queue at priority ${item.priority}: ${wanted}`);
  }
  if (Number.isNaN(item.expiresAtMs)) {
    const message = "Cannot queue with deadline NaN: give a clock time in ms, or Infinity";
    throw new ConfigError("QUEUE_DEADLINE", message);
  }
  if (item.queueSlot !== -1) {
    const message = `Cannot queue an item that waits already, in slot ${item.queueSlot}`;
    throw new MillraceError("QUEUE_TWICE", message);
  }
}

function levelOf(priority: number): number {
  return priority - PRIORITY_MIN;
}

function highestBit(bits: number): number {
  return 31 - Math.clz32(bits);
}
