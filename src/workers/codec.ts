/**
 * What edge and worker say to each other: flat arrays of records, many records a message. A record is an operation, the
 * slot of its request, and a fixed number of operands. Flat, because posting an array of strings and numbers costs a
 * fraction of posting an object a request (bench/README.md).
 */

/** Strings, numbers and chunks, one record after another. */
export type Batch = (string | number | boolean | Uint8Array | null)[];

/** Edge to worker. */
export const toWorker = {
  /** slot, handler index, method, target, header text, client address, whole body or `null` when it streams */
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

/** Worker to edge. Every request gets exactly one of `answer`, `end` or `fail`, cancelled or not: it frees the slot. */
export const toEdge = {
  /** slot, status, header text, body as latin1 string */
  answer: 1,
  /** slot, status, header text, length or −1 */
  start: 2,
  /** slot, bytes */
  chunk: 3,
  /** slot */
  end: 4,
  /** slot */
  fail: 5,
  /** slot, bytes of the request's body that were read */
  credit: 6,
} as const;

/** Places in the memory that the edge shares with one worker, in 32-bit words. */
export const shared = {
  /** How many requests the worker has started, counted from its birth, modulo 2³². Written by the worker. */
  started: 0,
  /** 1 while requests wait at the edge for this worker to start what it holds. Written by the edge. */
  waiting: 1,
  words: 2,
} as const;

/** A copy that shares memory with nobody, so that it can be moved to the other thread instead of copied again. */
export function detached(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(bytes);
  return copy;
}
