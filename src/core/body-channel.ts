import type { BodyStream } from "./request.ts";

/**
 * A request body on its way to its reader: bytes are pushed in as they arrive and read as an async
 * iterable. It never refuses bytes; whoever pushes learns through `onRead` how much was taken, and
 * holds back by that.
 */
export class BodyChannel implements BodyStream {
  readonly #onRead: (bytes: number) => void;
  #chunks: Uint8Array[] = [];
  #state: "open" | "ended" | "failed" = "open";
  #opened = false;
  #error: unknown = undefined;
  #wake: (() => void) | undefined;

  /** @param onRead is told the size of each chunk once the reader has taken it. */
  constructor(onRead: (bytes: number) => void) {
    this.#onRead = onRead;
  }

  push(chunk: Uint8Array): void {
    if (this.#state !== "open") return;
    this.#chunks.push(chunk);
    this.#wake?.();
  }

  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ended";
    this.#wake?.();
  }

  /** The body broke: the reader gets `error`, after nothing more. */
  fail(error: unknown): void {
    if (this.#state !== "open") return;
    this.#state = "failed";
    this.#error = error;
    this.#chunks = [];
    this.#wake?.();
  }

  /** Its bytes, once. A reader that stops early leaves the rest unread. */
  open(): AsyncIterable<Uint8Array> {
    if (this.#opened) throw new TypeError("The request body was already read");
    this.#opened = true;
    return this.#read();
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#onRead(chunk.byteLength);
        yield chunk;
      } else if (this.#state === "open") {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        this.#wake = undefined;
      } else if (this.#state === "failed") {
        throw this.#error;
      } else {
        return;
      }
    }
  }
}
