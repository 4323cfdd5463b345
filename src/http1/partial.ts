/** The bytes of a head or trailer section whose end has not come yet. */
export class Partial {
  #bytes = Buffer.allocUnsafeSlow(512);
  #length = 0;

  /** The retained bytes are octets [0, length) of this; valid until the next append. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Copies octets [start, end) of `source` to the end. Grows by doubling: one byte at a time stays
   * linear.
   */
  append(source: Buffer, start: number, end: number): void {
    const needed = this.#length + end - start;
    if (needed > this.#bytes.length) {
      // Not from the shared pool: a slow client must not pin a slab that others' bytes live in.
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    source.copy(this.#bytes, this.#length, start, end);
    this.#length = needed;
  }

  /** Forgets the first `count` octets. */
  drop(count: number): void {
    this.#bytes.copyWithin(0, count, this.#length);
    this.#length -= count;
  }
}
