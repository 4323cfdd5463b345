/**
 * What edge and worker say to each other: flat arrays of records, many records a message. A record
 * is an operation, the slot of its request, and a fixed number of operands. Flat, because posting
 * an array of strings and numbers costs a fraction of posting an object a request
 * (bench/README.md).
 */

/** Strings, numbers and chunks, one record after another. */
export type Batch = (string | number | boolean | Uint8Array | null)[];

/** Edge to worker. */
export const toWorker = {
  /**
   * slot, handler index, method (a number for common ones, see `methodCode`), target, header text,
   * client address or `null` for that of the request before, whole body or `null` when it streams
   */
  request: 1,
  /** slot, bytes of the request body */
  bodyChunk: 2,
  /** slot */
  bodyEnd: 3,
  /** slot: nobody waits for the answer any more, and no more of the body will come */
  cancel: 4,
  /** slot, bytes of the answer's body that were taken */
  credit: 5,
} as const;

/**
 * Worker to edge. Every request gets exactly one of `answer`, `end` or `fail`, cancelled or not: it
 * frees the slot.
 */
export const toEdge = {
  /** slot, status, header text or its number, body as latin1 string */
  answer: 1,
  /** slot, status, header text or its number, length or −1 */
  start: 2,
  /** slot, bytes */
  chunk: 3,
  /** slot */
  end: 4,
  /** slot */
  fail: 5,
  /** slot, bytes of the request's body that were read */
  credit: 6,
  /**
   * handler index, microseconds: it held the thread that long at a stretch; only said when that was
   * long
   */
  held: 7,
} as const;

/** Places in the memory that the edge shares with one worker, in 32-bit words. */
export const shared = {
  /**
   * How many requests the worker has started, counted from its birth, modulo 2³². Written by the
   * worker.
   */
  started: 0,
  /**
   * 1 while requests wait at the edge for this worker to start what it holds. Written by the edge.
   */
  waiting: 1,
  /** 1 while the worker's thread is at a batch. Written by the worker. */
  busy: 2,
  words: 3,
} as const;

/**
 * Chunks up to this size cross as text, joined with their neighbours of the same turn: to move
 * memory costs a microsecond a piece, which a client that sends single bytes would have us pay.
 */
const joinedBytesMax = 4_096;

/** The bytes of a chunk, however it crossed. */
export function chunkBytes(sent: string | Uint8Array): Uint8Array {
  return typeof sent === "string" ? Buffer.from(sent, "latin1") : sent;
}

/** A batch being filled, with chunks among its records. */
export class ChunkedBatch {
  records: Batch = [];
  /** Memory to be moved with them. */
  transfers: ArrayBuffer[] = [];
  /** Where the last record begins if it is a chunk that more may be joined to. */
  #joinAt = -1;

  /** Adds a chunk; its memory stays the caller's. */
  addChunk(operation: number, slot: number, chunk: Uint8Array): void {
    const { records } = this;
    if (chunk.byteLength > joinedBytesMax) {
      const copy = detached(chunk);
      this.transfers.push(copy.buffer);
      records.push(operation, slot, copy);
      return;
    }
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const text = bytes.toString("latin1");
    const at = this.#joinAt;
    const isLast = at >= 0 && at + 3 === records.length;
    if (isLast && records[at] === operation && records[at + 1] === slot) {
      records[at + 2] = (records[at + 2] as string) + text;
    } else {
      this.#joinAt = records.length;
      records.push(operation, slot, text);
    }
  }

  /** Begins a new batch: a new array is cheaper than clearing a long one. */
  clear(): void {
    this.records = [];
    if (this.transfers.length > 0) this.transfers = [];
    this.#joinAt = -1;
  }
}

/**
 * A copy that shares memory with nobody, so that it can be moved to the other thread instead of
 * copied again.
 */
export function detached(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(bytes);
  return copy;
}

const commonMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** Methods cross as numbers where they can: a string costs ten times as much to post. */
export function methodCode(method: string): number | string {
  const code = commonMethods.indexOf(method);
  return code < 0 ? method : code;
}

/** The method that `methodCode` encoded. */
export function methodOf(code: number | string): string {
  return typeof code === "number" ? (commonMethods[code] as string) : code;
}

/**
 * Most header texts that get a number, and the longest that does: answers without fields of their
 * own have few.
 */
const numberedMax = 128;
const numberedLengthMax = 256;

/**
 * Header texts that recur cross as numbers. Both ends number the texts they see in the order in
 * which they cross, until the table is full, so nothing has to be agreed on: a text that is not
 * numbered yet crosses as text and is from then on.
 */
export class HeaderTextSender {
  readonly #numbers = new Map<string, number>();

  /** What to send for `text`. */
  encode(text: string): string | number {
    const number = this.#numbers.get(text);
    if (number !== undefined) return number;
    if (this.#numbers.size < numberedMax && text.length <= numberedLengthMax) {
      this.#numbers.set(text, this.#numbers.size);
    }
    return text;
  }
}

/** The other end of `HeaderTextSender`; must be shown every text, in order. */
export class HeaderTextReceiver {
  readonly #texts: string[] = [];

  decode(sent: string | number): string {
    if (typeof sent === "number") return this.#texts[sent] as string;
    if (this.#texts.length < numberedMax && sent.length <= numberedLengthMax)
      this.#texts.push(sent);
    return sent;
  }
}
