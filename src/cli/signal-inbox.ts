/** A signal that a server is stopped with. */
export type StopSignal = "SIGINT" | "SIGTERM";

/**
 * The same signal again within this time is the same Ctrl-C, in ms: a terminal sends it to the
 * whole process group, and npm then sends it to its child once more.
 */
const echoMs = 400;

/**
 * Signals are recorded when they come and acted on where `next` is awaited, never in the handler.
 */
export class SignalInbox implements Disposable {
  readonly #signals: readonly StopSignal[] = ["SIGINT", "SIGTERM"];
  readonly #lastMs = new Map<StopSignal, number>();
  readonly #arrived: StopSignal[] = [];
  #waiting: ((signal: StopSignal) => void)[] = [];

  constructor() {
    for (const signal of this.#signals) process.on(signal, this.#record);
  }

  /** Resolves with the next signal that nobody has been given yet. */
  next(): Promise<StopSignal> {
    const signal = this.#arrived.shift();
    if (signal !== undefined) return Promise.resolve(signal);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** From now on signals do what they do by default. */
  [Symbol.dispose](): void {
    for (const signal of this.#signals) process.off(signal, this.#record);
  }

  readonly #record = (signal: NodeJS.Signals): void => {
    if (signal !== "SIGINT" && signal !== "SIGTERM") return;
    const nowMs = performance.now();
    const echo = nowMs - (this.#lastMs.get(signal) ?? -Infinity) < echoMs;
    this.#lastMs.set(signal, nowMs);
    if (echo) return;
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting(signal);
    // Two are enough: one to stop, one to hurry.
    else if (this.#arrived.length < 2) this.#arrived.push(signal);
  };
}
