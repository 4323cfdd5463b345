/**
 * The request parser: bytes in, events out. Pure and incremental; knows no socket and no time. This
 * file is the message level (RFC 9112 §2 and §6.3); lines, fields, framing and chunks have a file
 * each.
 */
import { ChunkedDecoder } from "./chunked.ts";
import type { ParserLimits } from "./limits.ts";
import { INCOMPLETE, LF } from "./octets.ts";
import { RequestHead } from "./head.ts";
import { Partial } from "./partial.ts";

/**
 * What a parser tells. Called in order: one head, any number of bodies, one end, for each request.
 */
export interface ParserSink {
  /** A whole, valid head. The parser's public fields hold it, until the next head. */
  head(parser: RequestParser): void;
  /** Body bytes buffer[start, end): valid only during the call. No subarray is made. */
  body(buffer: Buffer, start: number, end: number): void;
  /**
   * End of the message; `trailers` is raw field lines ("" mostly). Right after head() for a request
   * without body.
   */
  end(trailers: string): void;
}

/** Where in a message the parser is. "end" owes the sink its end(). */
type ParserState = "head" | "sized" | "chunked" | "end" | "stopped" | "failed";

const nothing = Buffer.alloc(0);

/**
 * Parses the requests of one connection. A request line, a field block and chunk framing that break
 * RFC 9112, or that two implementations could read differently, are refused: push() throws
 * ProtocolError, and the parser is dead.
 */
export class RequestParser extends RequestHead {
  readonly #sink: ParserSink;
  #state: ParserState = "head";
  #paused = false;
  /** A sink is being called, or about to be: push() and resume() must not enter again. */
  #running = false;
  #error: unknown = undefined;
  /** Bytes of an unfinished head. */
  #partial: Partial | undefined = undefined;
  /** Content bytes still to come in state "sized". */
  #remaining = 0;
  #decoder: ChunkedDecoder | undefined = undefined;
  #trailers = "";
  /** Pushed while paused, or left over by it: copies, so the caller may use its buffer again. */
  #waiting: Buffer[] = [];
  /** How much of the first waiting buffer is read. */
  #waitingAt = 0;

  constructor(sink: ParserSink, limits: ParserLimits) {
    super(limits);
    this.#sink = sink;
  }

  /**
   * Reads `buffer`, calling the sink. Bytes of an unfinished head are copied (up to
   * `headBytesMax`), and so is all that is left or comes while paused (as much as is pushed: pause
   * the source too); nothing keeps `buffer` itself. Must not be called by the sink.
   *
   * @throws ProtocolError when the bytes are no request, with the status to answer; then again on
   *   every further push.
   */
  push(buffer: Buffer): void {
    if (this.#running) throw new Error("A sink must not call push()");
    if (this.#state === "failed") throw this.#error;
    if (this.#state === "stopped" || buffer.length === 0) return;
    let at = 0;
    if (!this.#paused) at = this.#run(buffer, 0);
    if (at < buffer.length) this.#waiting.push(Buffer.from(buffer.subarray(at)));
  }

  /** Stops after the sink call under way, or at once; what is pushed from now on waits. */
  pause(): void {
    this.#paused = true;
  }

  /**
   * Goes on with what waits; may call the sink and throw as push() does. Inside a sink call only
   * ends the pause.
   */
  resume(): void {
    this.#paused = false;
    if (this.#running) return;
    if (this.#state === "failed") throw this.#error;
    // Without waiting bytes there may still be an end() owed.
    if (this.#waiting.length === 0) this.#run(nothing, 0);
    while (!this.#paused && this.#waiting.length > 0) {
      const buffer = this.#waiting[0]!;
      this.#waitingAt = this.#run(buffer, this.#waitingAt);
      if (this.#waitingAt < buffer.length) return;
      this.#waiting.shift();
      this.#waitingAt = 0;
    }
  }

  /** Ignores everything from now on: after an upgrade, or when the connection closes. */
  stop(): void {
    if (this.#state !== "failed") this.#state = "stopped";
    this.#partial = undefined;
    this.#waiting = [];
    this.#waitingAt = 0;
  }

  /**
   * Stops, and gives back the bytes that wait because of a pause: what a client sent behind an
   * upgrade request already belongs to the new protocol. Call it while paused, outside of the sink.
   */
  detach(): Buffer {
    const rest = Buffer.concat(this.#waiting).subarray(this.#waitingAt);
    this.stop();
    return rest;
  }

  /**
   * Forgets the last head's text, for a connection that falls idle: an idle parser then holds some
   * 300 bytes. Does nothing within a message. Not needed for correctness, and not free: a client's
   * next head often repeats the fields of its last, and then isn't checked again.
   */
  release(): void {
    if (this.#state !== "head" || this.midMessage) return;
    this.clear();
    this.#trailers = "";
    this.#decoder = undefined;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Bytes of an unfinished head or body have been seen, or bytes wait because of a pause. */
  get midMessage(): boolean {
    const state = this.#state;
    if (state === "stopped" || state === "failed") return false;
    if (state === "sized" || state === "chunked") return true;
    return this.#partial !== undefined || this.#waiting.length > 0;
  }

  /**
   * Bytes of an unfinished head have been read (what waits because of a pause doesn't count: that
   * is not the client's delay).
   */
  get midHead(): boolean {
    return this.#partial !== undefined;
  }

  /**
   * Reads from `start` until the end, a pause or a stop. @returns the index of the first octet not
   * read.
   */
  #run(buffer: Buffer, start: number): number {
    let at = start;
    this.#running = true;
    try {
      while (!this.#paused) {
        if (this.#state === "end") {
          this.#state = "head";
          this.#sink.end(this.#trailers);
        } else if (this.#state === "stopped") {
          at = buffer.length;
          break;
        } else if (at === buffer.length) {
          break;
        } else if (this.#state === "head") {
          at = this.#readHead(buffer, at);
        } else if (this.#state === "sized") {
          at = this.#readSized(buffer, at);
        } else {
          at = this.#readChunked(buffer, at);
        }
      }
    } catch (error) {
      this.#error = error;
      this.stop();
      this.#state = "failed";
      throw error;
    } finally {
      this.#running = false;
    }
    return at;
  }

  #readSized(buffer: Buffer, at: number): number {
    const next = Math.min(buffer.length, at + this.#remaining);
    this.#remaining -= next - at;
    if (this.#remaining === 0) this.#state = "end";
    this.#sink.body(buffer, at, next);
    return next;
  }

  #readChunked(buffer: Buffer, at: number): number {
    const decoder = this.#decoder!;
    const next = decoder.step(buffer, at);
    if (decoder.done) {
      this.#trailers = decoder.trailers;
      this.#state = "end";
    } else if (decoder.dataEnd > decoder.dataStart) {
      this.#sink.body(buffer, decoder.dataStart, decoder.dataEnd);
    }
    return next;
  }

  #readHead(buffer: Buffer, at: number): number {
    if (this.#partial !== undefined) return this.#readRestOfHead(this.#partial, buffer, at);
    const next = this.parseHead(buffer, at, buffer.length);
    if (next === INCOMPLETE) {
      if (this.headStart < buffer.length) {
        this.#partial = new Partial();
        this.#partial.append(buffer, this.headStart, buffer.length);
      }
      return buffer.length;
    }
    this.#headDone();
    return next;
  }

  /**
   * Adds to an unfinished head. It is parsed anew only when a line has ended or a bound is reached,
   * so at most once a line: with one byte a push and every bound used up the whole head takes 1.7
   * ms.
   */
  #readRestOfHead(partial: Partial, buffer: Buffer, at: number): number {
    const { headBytesMax, requestLineBytesMax } = this.limits;
    const before = partial.length;
    const end = Math.min(buffer.length, at + headBytesMax - before);
    partial.append(buffer, at, end);
    const lineFeedAt = buffer.indexOf(LF, at);
    const due =
      (lineFeedAt >= 0 && lineFeedAt < end) ||
      partial.length === headBytesMax ||
      (before < requestLineBytesMax && partial.length >= requestLineBytesMax);
    if (!due) return end;
    const next = this.parseHead(partial.bytes, 0, partial.length);
    if (next === INCOMPLETE) {
      if (this.headStart > 0) partial.drop(this.headStart);
      if (partial.length === 0) this.#partial = undefined;
      return end;
    }
    this.#partial = undefined;
    this.#headDone();
    return at + next - before;
  }

  #headDone(): void {
    this.#trailers = "";
    if (!this.hasBody) {
      this.#state = "end";
    } else if (this.chunked) {
      if (this.#decoder === undefined) this.#decoder = new ChunkedDecoder(this.limits);
      else this.#decoder.reset();
      this.#state = "chunked";
    } else {
      this.#remaining = this.contentLength;
      this.#state = "sized";
    }
    this.#sink.head(this);
  }
}
