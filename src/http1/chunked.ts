/** The chunked transfer coding, RFC 9112 §7.1: takes the framing off and leaves spans of data. */
import { ProtocolError } from "../core/errors.ts";
import { FieldFacts, scanFields } from "./fields.ts";
import { type ParserLimits, chunkSizeDigitsMax } from "./limits.ts";
import { CR, HEX, INCOMPLETE, LF, SEMICOLON, VALUE, latin1Text } from "./octets.ts";
import { Partial } from "./partial.ts";

/** 13 hexadecimal digits: whatever they say stays below 2^52. */
const significantDigitsMax = 13;

/**
 * Fields that may not come after the content, RFC 9110 §6.5.1: what frames, routes, authenticates
 * or modifies a request has been acted upon by then, and merging it later would contradict that.
 */
const forbiddenTrailers = [
  "authorization|connection|content-(?:encoding|length|range|type)|cookie|expect|host",
  "if-[a-z-]+|keep-alive|max-forwards|proxy-[a-z-]+|range|te|trailer|transfer-encoding|upgrade",
];
const forbiddenTrailer = new RegExp(`(?:^|\\n)(?:${forbiddenTrailers.join("|")}):`, "i");

type ChunkState =
  | "size"
  | "extension"
  | "size-line-feed"
  | "data"
  | "data-end"
  | "data-line-feed"
  | "trailers"
  | "done";

/** Facts of trailer fields are of no interest; the scanner wants a place to write them. */
const trailerFacts = new FieldFacts();

/**
 * Decodes one chunked body a step at a time. A step ends at the end of the input, after a span of
 * data (which the caller hands on before the next step), or when the body is over.
 */
export class ChunkedDecoder {
  readonly #limits: ParserLimits;
  #state: ChunkState = "size";
  #size = 0;
  #digits = 0;
  #significant = 0;
  #extensionBytes = 0;
  #partial: Partial | undefined = undefined;

  /**
   * Data found by the last step: octets [dataStart, dataEnd) of its buffer; empty when both are
   * equal.
   */
  dataStart = 0;
  dataEnd = 0;
  /** Raw trailer field lines, once done. */
  trailers = "";

  constructor(limits: ParserLimits) {
    this.#limits = limits;
  }

  /** Whether the last chunk and the trailer section have been read. */
  get done(): boolean {
    return this.#state === "done";
  }

  /** Makes the decoder ready for another body. */
  reset(): void {
    this.#state = "size";
    this.#size = 0;
    this.#digits = 0;
    this.#significant = 0;
    this.#extensionBytes = 0;
    this.trailers = "";
  }

  /**
   * Reads on from `start`, which is below `buffer.length`.
   *
   * @returns the index of the next octet to be read.
   * @throws ProtocolError 400 for broken framing, 431 for too large a trailer section.
   */
  step(buffer: Buffer, start: number): number {
    const end = buffer.length;
    let at = start;
    this.dataStart = this.dataEnd = 0;
    while (at < end) {
      switch (this.#state) {
        case "size":
          at = this.#readSize(buffer, at, end);
          break;
        case "extension":
          at = this.#skipExtension(buffer, at, end);
          break;
        case "size-line-feed":
          if (buffer[at] !== LF) throw badSize();
          at += 1;
          this.#state = this.#size === 0 ? "trailers" : "data";
          break;
        case "data":
          return this.#takeData(at, end);
        case "data-end":
          if (buffer[at] !== CR) throw badChunkEnd();
          at += 1;
          this.#state = "data-line-feed";
          break;
        case "data-line-feed":
          if (buffer[at] !== LF) throw badChunkEnd();
          at += 1;
          this.#state = "size";
          this.#digits = this.#significant = 0;
          break;
        case "trailers":
          at = this.#readTrailers(buffer, at);
          break;
        case "done":
          return at;
      }
    }
    return at;
  }

  #readSize(buffer: Buffer, start: number, end: number): number {
    let at = start;
    let digit = 255;
    while (at < end && (digit = HEX[buffer[at]!]!) !== 255) {
      if (this.#significant > 0 || digit > 0) this.#significant += 1;
      this.#digits += 1;
      if (this.#digits > chunkSizeDigitsMax || this.#significant > significantDigitsMax) {
        throw badSize();
      }
      this.#size = this.#size * 16 + digit;
      at += 1;
    }
    if (at === end) return at;
    if (this.#digits === 0) throw badSize();
    if (buffer[at] === CR) this.#state = "size-line-feed";
    else if (buffer[at] === SEMICOLON) this.#state = "extension";
    // RFC 9112 §7.1.1 knows "bad" whitespace before ";". Only attacks send it, so it is no size.
    else throw badSize();
    return at + 1;
  }

  #skipExtension(buffer: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && VALUE[buffer[at]!] === 1) at += 1;
    this.#extensionBytes += at - start;
    if (this.#extensionBytes > this.#limits.chunkExtensionBytesMax) {
      throw new ProtocolError(400, "CHUNK_EXTENSIONS_TOO_LARGE", "Too many chunk extensions");
    }
    if (at === end) return at;
    if (buffer[at] !== CR) {
      throw new ProtocolError(400, "CHUNK_EXTENSION", "A chunk extension ends with CR LF");
    }
    this.#state = "size-line-feed";
    return at + 1;
  }

  #takeData(at: number, end: number): number {
    const taken = Math.min(end - at, this.#size);
    this.dataStart = at;
    this.dataEnd = at + taken;
    this.#size -= taken;
    if (this.#size === 0) this.#state = "data-end";
    return at + taken;
  }

  /**
   * Collects the trailer section; scanned anew only when a line has ended, which the count of lines
   * bounds.
   */
  #readTrailers(buffer: Buffer, start: number): number {
    const { trailerBytesMax } = this.#limits;
    if (this.#partial === undefined) {
      const end = Math.min(buffer.length, start + trailerBytesMax);
      const next = this.#scanTrailers(buffer, start, end);
      if (next !== INCOMPLETE) return next;
      if (end - start === trailerBytesMax) throw trailersTooLarge();
      this.#partial = new Partial();
      this.#partial.append(buffer, start, end);
      return end;
    }
    const partial = this.#partial;
    const before = partial.length;
    const end = Math.min(buffer.length, start + trailerBytesMax - before);
    partial.append(buffer, start, end);
    const full = partial.length === trailerBytesMax;
    const lineFeedAt = buffer.indexOf(LF, start);
    if (full || (lineFeedAt >= 0 && lineFeedAt < end)) {
      const next = this.#scanTrailers(partial.bytes, 0, partial.length);
      if (next !== INCOMPLETE) {
        this.#partial = undefined;
        return start + next - before;
      }
      if (full) throw trailersTooLarge();
    }
    return end;
  }

  #scanTrailers(buffer: Buffer, start: number, end: number): number {
    const next = scanFields(buffer, start, end, this.#limits.headerCountMax, trailerFacts);
    if (next === INCOMPLETE) return INCOMPLETE;
    if (next - start > 2) {
      this.trailers = latin1Text(buffer, start, next - 2);
      if (forbiddenTrailer.test(this.trailers)) {
        throw new ProtocolError(400, "TRAILER_FORBIDDEN", "This field may not be a trailer");
      }
    }
    this.#state = "done";
    return next;
  }
}

function badSize(): ProtocolError {
  return new ProtocolError(400, "CHUNK_SIZE", "A chunk begins with its size in hexadecimal, CR LF");
}

function badChunkEnd(): ProtocolError {
  return new ProtocolError(400, "CHUNK_END", "CR LF follows a chunk's data at once");
}

function trailersTooLarge(): ProtocolError {
  return new ProtocolError(431, "TRAILERS_TOO_LARGE", "The trailer section is too large");
}
