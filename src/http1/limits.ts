/**
 * How much of each part of a message is accepted. Sizes are in bytes as sent, line ends included.
 */
export interface ParserLimits {
  /**
   * Longest request line. More answers 414. 8,192: RFC 9112 §3 asks for at least 8,000; browsers
   * and caches stay below it.
   */
  readonly requestLineBytesMax: number;
  /**
   * Largest whole head: request line, fields, empty line. More answers 431. 16,384: twice a request
   * line, room for the largest cookie jars, and what one connection that never ends its head can
   * make the server hold.
   */
  readonly headBytesMax: number;
  /**
   * Most field lines in a head, and in a trailer section. More answers 431. 100: browsers send
   * under 30; every field costs whoever looks one up.
   */
  readonly headerCountMax: number;
  /**
   * Most chunk-extension bytes in one body, all its chunks together. More answers 400. 4,096:
   * nearly no one sends any, and they are the cheapest way to send endless bytes that no body limit
   * counts (RFC 9112 §7.1.1).
   */
  readonly chunkExtensionBytesMax: number;
  /**
   * Largest trailer section, its empty line included. More answers 431. 8,192: half a head;
   * checksums and gRPC statuses take a few hundred.
   */
  readonly trailerBytesMax: number;
}

/** The limits unless others are given; each field of {@link ParserLimits} says why. */
export const defaultParserLimits: ParserLimits = {
  requestLineBytesMax: 8192,
  headBytesMax: 16_384,
  headerCountMax: 100,
  chunkExtensionBytesMax: 4096,
  trailerBytesMax: 8192,
};

/**
 * Empty lines skipped before a request line (RFC 9112 §2.2 asks for one; some old clients send
 * two).
 */
export const emptyLinesMax = 2;

/**
 * Longest method name. The longest registered one (UPDATEREDIRECTREF) has 17 letters; more answers
 * 501.
 */
export const methodBytesMax = 32;

/**
 * Most digits of a chunk size, leading zeros included. A size itself stays below 2^52: 13 digits.
 */
export const chunkSizeDigitsMax = 16;
