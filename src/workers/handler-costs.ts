/** A handler is light while fewer than one in so many of its requests held a thread for long. */
const lightShare = 20;

/** How often what was counted loses half its weight, in ms. */
const fadeMs = 10_000;

/**
 * Which handlers hold their thread for long. Counted as a share, because even a light handler is
 * now and then interrupted by the system, and looks slow then.
 */
export class HandlerCosts {
  /** By handler index + 1, as the miss handler's is −1. */
  readonly #started: number[] = [];
  readonly #held: number[] = [];
  #fadedAtMs = 0;

  /** Counts a request for this handler, and tells whether it is light as far as is known. */
  isLight(handlerIndex: number): boolean {
    const at = handlerIndex + 1;
    const started = (this.#started[at] ?? 0) + 1;
    this.#started[at] = started;
    return (this.#held[at] ?? 0) * lightShare <= started;
  }

  /** A request for this handler held its thread for long. */
  held(handlerIndex: number): void {
    const at = handlerIndex + 1;
    this.#held[at] = (this.#held[at] ?? 0) + 1;
  }

  /** Lets old counts fade. Called now and then. */
  fade(nowMs: number): void {
    if (nowMs - this.#fadedAtMs < fadeMs) return;
    this.#fadedAtMs = nowMs;
    for (let at = 0; at < this.#started.length; at++) {
      this.#started[at] = (this.#started[at] ?? 0) / 2;
      this.#held[at] = (this.#held[at] ?? 0) / 2;
    }
  }
}
