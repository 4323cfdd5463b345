/** When a client that was turned away should come back (Retry-After, RFC 9110 §10.2.3). */
import { ConfigError } from "../core/errors.ts";

/** How far back to look, and how far ahead to send a client. */
export interface DrainRateOptions {
  /**
   * How far back "recently" reaches, in ms: what is older weighs less than 1/e. Default 5,000: a
   * burst or two.
   */
  readonly windowMs?: number;
  /** Longest wait ever named, in s. Default 30: by then things have changed anyway. */
  readonly retryAfterMaxSeconds?: number;
}

/**
 * How fast a queue has been emptying lately, as a mean whose weights fade exponentially with age.
 * Time without work counts too, so after a lull the rate reads low and the wait long, within its
 * bound, until a window has gone by.
 */
export class DrainRate {
  readonly #windowMs: number;
  readonly #maxSeconds: number;
  /** Items taken, and ms gone by, both faded: their quotient is the rate. */
  #taken = 0;
  #spanMs = 0;
  #atMs: number | undefined;

  /**
   * Throws ConfigError `RETRY_AFTER` unless the window is above 0 ms and the longest wait an
   * integer from 1 s.
   */
  constructor(options: DrainRateOptions = {}) {
    const { windowMs = 5_000, retryAfterMaxSeconds = 30 } = options;
    if (!(windowMs > 0 && windowMs < Infinity)) {
      const message = `Cannot measure over ${windowMs} ms: give a number above 0`;
      throw new ConfigError("RETRY_AFTER", message);
    }
    if (!Number.isSafeInteger(retryAfterMaxSeconds) || retryAfterMaxSeconds < 1) {
      const asked = `${retryAfterMaxSeconds} s`;
      const message = `Cannot ask to retry within ${asked}: give an integer from 1`;
      throw new ConfigError("RETRY_AFTER", message);
    }
    this.#windowMs = windowMs;
    this.#maxSeconds = retryAfterMaxSeconds;
  }

  /**
   * Notes that `n` items left the queue by `nowMs`, since the call before. The first call only sets
   * the beginning: how long its items took is not known. Call it once a loop turn or less, also
   * with 0.
   */
  took(n: number, nowMs: number): void {
    if (this.#atMs === undefined) {
      this.#atMs = nowMs;
      return;
    }
    const elapsedMs = nowMs - this.#atMs;
    if (elapsedMs <= 0) {
      this.#taken += n;
      return;
    }
    const kept = Math.exp(-elapsedMs / this.#windowMs);
    // What this stretch weighs by its end: each of its moments has faded since. Its items count as
    // spread over it.
    const weightMs = this.#windowMs * (1 - kept);
    this.#spanMs = this.#spanMs * kept + weightMs;
    this.#taken = this.#taken * kept + (n * weightMs) / elapsedMs;
    this.#atMs = nowMs;
  }

  /**
   * Whole seconds until `queued` items will have left at this rate, from 1 to the bound: the bound
   * when nothing leaves, 1 while nothing has been measured. Give `nowMs` to count the time since
   * the last `took`, so that a stall shows.
   */
  retryAfterSeconds(queued: number, nowMs?: number): number {
    if (nowMs !== undefined && this.#atMs !== undefined) this.took(0, nowMs);
    if (queued <= 0 || this.#spanMs === 0) return 1;
    // Infinity when nothing leaves.
    const seconds = Math.ceil((queued * this.#spanMs) / this.#taken / 1_000);
    return Math.min(seconds, this.#maxSeconds);
  }
}
