import type { Clock } from "../core/clock.ts";

/** Slots of entries that are in none: not in the wheel, or out of their slot to be told. */
const outside = -1;
const beingTold = -2;

/** What a wheel watches: it is told once its time has come. */
export abstract class Expiring {
  /** Clock time in ms at which it expires; `Infinity` for never. Moved with `TimerWheel.set`. */
  expiresAtMs = Infinity;
  /** Owned by the wheel: when its slot comes round, its neighbours there, and the slot. */
  wheelDueMs = 0;
  wheelPrevious: Expiring | null = null;
  wheelNext: Expiring | null = null;
  wheelSlot = outside;

  /** Its time has come; it may set another. */
  abstract onExpired(nowMs: number): void;
}

/** Slots of the wheel; what expires later than a full turn is looked at once a turn. */
const slotCount = 512;

/**
 * Timeouts for thousands of connections at the price of one number stored per event (hashed timing
 * wheel, Varghese and Lauck 1987, made lazy). Moving a timeout later touches nothing here: when the
 * old slot comes round, the entry is found unexpired and moved to the slot of its new time. Coarse
 * by design: expiry is seen up to two ticks late, never early.
 */
export class TimerWheel {
  readonly tickMs: number;
  readonly #clock: Clock;
  readonly #slots: (Expiring | null)[] = new Array<Expiring | null>(slotCount).fill(null);
  #tick: number;
  #nowMs: number;

  constructor(options: { readonly clock: Clock; readonly tickMs: number }) {
    this.#clock = options.clock;
    this.tickMs = options.tickMs;
    this.#nowMs = this.#clock.now();
    this.#tick = Math.floor(this.#nowMs / this.tickMs);
  }

  /** Clock time of the last tick, in ms: good enough for timeouts, and free. */
  get nowMs(): number {
    return this.#nowMs;
  }

  add(entry: Expiring): void {
    const ticks = Math.ceil((entry.expiresAtMs - this.#nowMs) / this.tickMs);
    const distance = Math.min(Math.max(ticks, 1), slotCount - 1);
    const slot = (this.#tick + distance) % slotCount;
    const next = this.#slots[slot] as Expiring | null;
    entry.wheelSlot = slot;
    entry.wheelDueMs = this.#nowMs + distance * this.tickMs;
    entry.wheelPrevious = null;
    entry.wheelNext = next;
    if (next !== null) next.wheelPrevious = entry;
    this.#slots[slot] = entry;
  }

  /**
   * Gives an entry that is in the wheel another time. Only a much earlier one costs more than two
   * numbers.
   */
  set(entry: Expiring, expiresAtMs: number): void {
    entry.expiresAtMs = expiresAtMs;
    if (entry.wheelSlot < 0 || expiresAtMs >= entry.wheelDueMs) return;
    this.remove(entry);
    this.add(entry);
  }

  remove(entry: Expiring): void {
    if (entry.wheelSlot < 0) {
      entry.wheelSlot = outside;
      return;
    }
    const { wheelPrevious, wheelNext } = entry;
    if (wheelPrevious === null) this.#slots[entry.wheelSlot] = wheelNext;
    else wheelPrevious.wheelNext = wheelNext;
    if (wheelNext !== null) wheelNext.wheelPrevious = wheelPrevious;
    entry.wheelSlot = outside;
    entry.wheelPrevious = null;
    entry.wheelNext = null;
  }

  /** Advances to the clock's time and tells what has expired. Call it once every `tickMs` or so. */
  turn(): void {
    this.#nowMs = this.#clock.now();
    const now = Math.floor(this.#nowMs / this.tickMs);
    // After a long stall one full turn looks at everything.
    const last = Math.min(now, this.#tick + slotCount);
    while (this.#tick < last) {
      this.#tick += 1;
      this.#empty(this.#tick % slotCount);
    }
    this.#tick = now;
  }

  #empty(slot: number): void {
    let entry = this.#slots[slot] as Expiring | null;
    this.#slots[slot] = null;
    while (entry !== null) {
      const next: Expiring | null = entry.wheelNext;
      entry.wheelSlot = beingTold;
      entry.wheelPrevious = null;
      entry.wheelNext = null;
      if (entry.expiresAtMs <= this.#nowMs) entry.onExpired(this.#nowMs);
      // Unless it was removed it stays, also if it set itself no new time: then it is told again.
      if ((entry.wheelSlot as number) === beingTold) this.add(entry);
      entry = next;
    }
  }
}
