import type { FileHandle } from "node:fs/promises";
import { wholeBytesMax } from "../core/bounds.ts";
import { MillraceError } from "../core/errors.ts";

/**
 * The first `size` bytes of an open file, read as they are taken. The file is closed once they are
 * all read, once its reader stops, at an error; and when nobody reads it, by whoever discards it
 * (`return`).
 */
export class FileBody implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #handle: FileHandle;
  readonly #size: number;
  #at = 0;
  #closing: Promise<void> | undefined = undefined;

  constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.#size = size;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const wanted = Math.min(this.#size - this.#at, wholeBytesMax);
    if (wanted === 0 || this.#closing !== undefined) return this.return();
    try {
      // A buffer for each chunk: the one before may still be on its way to the client.
      const chunk = Buffer.allocUnsafeSlow(wanted);
      const { bytesRead } = await this.#handle.read(chunk, 0, wanted, this.#at);
      if (bytesRead === 0) {
        throw new MillraceError("FILE_SHRANK", "A file became shorter while it was being sent");
      }
      this.#at += bytesRead;
      return { done: false, value: chunk.subarray(0, bytesRead) };
    } catch (error) {
      await this.return();
      throw error;
    }
  }

  /** Closes the file, after a read that is under way. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    await (this.#closing ??= this.#handle.close());
    return { done: true, value: undefined };
  }
}
