/** The chunked transfer coding as it is sent, RFC 9112 §7.1. */

/** Ends a chunked body without trailers. */
export const lastChunk = "0\r\n\r\n";

/** Comes after the data of each chunk. */
export const chunkEnd = "\r\n";

/**
 * Goes before the data of a chunk of `length` bytes; `chunkEnd` goes behind it.
 *
 * @throws RangeError for an empty chunk, which would end the body, and for what is no length.
 */
export function chunkHead(length: number): string {
  if (!Number.isSafeInteger(length) || length <= 0) {
    throw new RangeError(`Cannot send a chunk of ${length} bytes: it has at least one`);
  }
  return length.toString(16) + "\r\n";
}

/** A whole chunk holding latin1 `text`, a byte a character; "" for an empty one. */
export function textChunk(text: string): string {
  return text === "" ? "" : text.length.toString(16) + "\r\n" + text + "\r\n";
}

/**
 * Ends a chunked body with `trailers`: field lines that `serializeHeaderFields` made (RFC 9112
 * §7.1.2).
 */
export function lastChunkWith(trailers: string): string {
  return "0\r\n" + trailers + "\r\n";
}
