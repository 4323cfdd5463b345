import type { Clock } from "../core/clock.ts";

/** First pause, in ms; each failure after it doubles the pause, up to the longest. */
const firstPauseMs = 100;
const longestPauseMs = 30_000;

/**
 * How long to wait before another worker is started. The first that dies is replaced at once;
 * workers that keep dying young are replaced ever more slowly, so that an application that can't
 * live doesn't eat the machine.
 */
export class RestartBackoff {
  readonly #clock: Clock;
  readonly #soundLifeMs: number;
  readonly #readySinceMs = new Map<number, number>();
  #failures = 0;

  constructor(options: { readonly clock: Clock; readonly soundLifeMs: number }) {
    this.#clock = options.clock;
    this.#soundLifeMs = options.soundLifeMs;
  }

  workerReady(id: number): void {
    this.#readySinceMs.set(id, this.#clock.now());
  }

  /** A worker died, or could not start. One that lived long enough clears what was before it. */
  workerFailed(id: number): void {
    const readySinceMs = this.#readySinceMs.get(id);
    this.#readySinceMs.delete(id);
    const sound =
      readySinceMs !== undefined && this.#clock.now() - readySinceMs >= this.#soundLifeMs;
    this.#failures = sound ? 1 : this.#failures + 1;
  }

  /** Pause before the next start, in ms. */
  pauseMs(): number {
    if (this.#failures < 2) return 0;
    return Math.min(firstPauseMs * 2 ** (this.#failures - 2), longestPauseMs);
  }
}
