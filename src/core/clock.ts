/** Where time comes from. Everything that waits takes one, so that tests can move it by hand. */
export interface Clock {
  /** Monotonic time in ms; only differences mean anything. */
  now(): number;
}

/** The process's monotonic clock. */
export const systemClock: Clock = { now: () => performance.now() };

/** A clock that stands still until told otherwise, for tests. */
export class ManualClock implements Clock {
  #nowMs = 0;

  now(): number {
    return this.#nowMs;
  }

  /** Moves the clock forward by `ms`. */
  advance(ms: number): void {
    this.#nowMs += ms;
  }
}
