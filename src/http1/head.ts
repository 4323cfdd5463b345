/**
 * One request head, RFC 9112 §2.1 and §2.2: request line, fields, and what they come to together.
 */
import { ProtocolError } from "../core/errors.ts";
import { FieldFacts, scanFields } from "./fields.ts";
import { isChunked } from "./framing.ts";
import { isHost, isPlainHost } from "./host.ts";
import { type ParserLimits, emptyLinesMax } from "./limits.ts";
import { CR, INCOMPLETE, LF, SLASH, latin1Text } from "./octets.ts";
import { RequestLine, badLineEnd, scanRequestLine } from "./request-line.ts";
import { reduceTarget } from "./target.ts";

// One of each for all parsers: filled and read within one synchronous parse, before any sink is
// called.
const line = new RequestLine();
const facts = new FieldFacts();

/**
 * The last head, and how it is parsed. The public fields are plain so that reading them costs
 * nothing; write none of them.
 */
export class RequestHead {
  method = "";
  /** The request target as sent. */
  target = "";
  /**
   * Target up to "?", absolute form reduced to its path; "*" in asterisk form, the authority for
   * CONNECT.
   */
  path = "";
  /** What follows "?"; "" if nothing does. */
  query = "";
  versionMinor: 0 | 1 = 1;
  /** Field lines "Name: value\r\n…" as sent, latin1, without request line and closing CRLF. */
  headers = "";
  /**
   * Valid Host, "" when absent or empty; the target's own authority, if it has one, wins (RFC 9112
   * §3.2.2).
   */
  host = "";
  /** Bytes of content to come; -1 when chunked, 0 without body. */
  contentLength = 0;
  chunked = false;
  /** Whether body() may be called before end(). */
  hasBody = false;
  /** Whether the client lets the connection live on after this request (RFC 9112 §9.3). */
  keepAlive = true;
  /** The client waits for 100 (Continue) before it sends its content (RFC 9110 §10.1.1). */
  expectContinue = false;
  /**
   * The client offers to change protocol: Connection: upgrade and an Upgrade field (RFC 9110 §7.8).
   */
  upgrade = false;

  protected readonly limits: ParserLimits;
  /** Where the head that `parse` last looked at begins, behind any empty lines. */
  protected headStart = 0;
  #emptyLines = 0;
  /** What was read off the last head's fields follows from `headers` and `versionMinor` alone. */
  #repeatable = false;

  constructor(limits: ParserLimits) {
    this.limits = limits;
  }

  /** Forgets the texts of the last head. */
  protected clear(): void {
    this.method = this.target = this.path = this.query = this.headers = this.host = "";
    this.#repeatable = false;
  }

  /**
   * Parses the head in octets [start, length). @returns the index behind it, or INCOMPLETE; sets
   * headStart anyway.
   */
  protected parseHead(buffer: Buffer, start: number, length: number): number {
    const headStart = this.#skipEmptyLines(buffer, start, length);
    const { headBytesMax, requestLineBytesMax, headerCountMax } = this.limits;
    const end = Math.min(length, headStart + headBytesMax);
    const lineEnd = Math.min(end, headStart + requestLineBytesMax);
    if (headStart === length || (buffer[headStart] === CR && headStart + 1 === length)) {
      return INCOMPLETE;
    }
    const fieldsStart = scanRequestLine(buffer, headStart, lineEnd, line);
    if (fieldsStart === INCOMPLETE) {
      if (lineEnd - headStart === requestLineBytesMax) throw requestLineTooLong();
      if (end - headStart === headBytesMax) throw headTooLarge();
      return INCOMPLETE;
    }
    // Most clients send the same fields with every request of a connection: then all that was read
    // off them holds again.
    let text = "";
    let textEnd = -1;
    if (this.#repeatable && this.#mayRepeat(buffer, fieldsStart, end)) {
      textEnd = fieldsStart + this.headers.length;
      text = latin1Text(buffer, headStart, textEnd);
      if (text.slice(fieldsStart - headStart) === this.headers) {
        this.#emptyLines = 0;
        this.#takeLine(buffer, text, headStart);
        return textEnd + 2;
      }
    }
    const next = scanFields(buffer, fieldsStart, end, headerCountMax, facts);
    if (next === INCOMPLETE) {
      if (end - headStart === headBytesMax) throw headTooLarge();
      return INCOMPLETE;
    }
    // One string of the head and five slices of it: 95 ns; a string of each part: 300 ns.
    if (textEnd !== next - 2) text = latin1Text(buffer, headStart, next - 2);
    this.#emptyLines = 0;
    this.#takeFields(buffer, text, headStart, fieldsStart);
    this.#takeLine(buffer, text, headStart);
    return next;
  }

  /**
   * RFC 9112 §2.2: an empty line before a request line is skipped. @returns where the request line
   * begins.
   */
  #skipEmptyLines(buffer: Buffer, start: number, length: number): number {
    let at = start;
    while (at + 1 < length && buffer[at] === CR) {
      if (buffer[at + 1] !== LF) throw badLineEnd();
      this.#emptyLines += 1;
      if (this.#emptyLines > emptyLinesMax) {
        throw new ProtocolError(400, "EMPTY_LINES", "Too many empty lines before a request line");
      }
      at += 2;
    }
    this.headStart = at;
    return at;
  }

  /**
   * Whether the field block at `fieldsStart` ends where one equal to the last head's would: cheap,
   * and wrong only for blocks of one length. Equal blocks cost a string comparison (40 ns for 490
   * bytes) where checking them costs 500.
   */
  #mayRepeat(buffer: Buffer, fieldsStart: number, end: number): boolean {
    const fieldsEnd = fieldsStart + this.headers.length;
    return (
      fieldsEnd + 2 <= end &&
      buffer[fieldsEnd] === CR &&
      buffer[fieldsEnd + 1] === LF &&
      buffer[fieldsEnd - 1] === LF &&
      line.versionMinor === this.versionMinor
    );
  }

  /** Takes what was noted in `facts`, RFC 9112 §3.2, §6 and §9.3. */
  #takeFields(buffer: Buffer, text: string, headStart: number, fieldsStart: number): void {
    const { versionMinor } = line;
    this.#repeatable = false;
    this.chunked = isChunked(facts, versionMinor);
    this.contentLength = this.chunked ? -1 : Math.max(facts.contentLength, 0);
    this.hasBody = this.contentLength !== 0;
    this.host = this.#hostOf(buffer, text, headStart);
    this.headers = text.slice(fieldsStart - headStart);
    this.versionMinor = versionMinor;
    this.keepAlive = !facts.close && (versionMinor === 1 || facts.keepAlive);
    this.expectContinue = facts.expectContinue && this.hasBody && versionMinor === 1;
    this.upgrade = facts.upgradeOption && facts.upgradeField && versionMinor === 1;
    this.#repeatable = true;
  }

  #hostOf(buffer: Buffer, text: string, headStart: number): string {
    const { hostCount, hostStart, hostEnd } = facts;
    if (hostCount === 0) {
      if (line.versionMinor === 0) return "";
      throw new ProtocolError(400, "HOST_MISSING", "An HTTP/1.1 request has a Host field");
    }
    if (hostCount > 1) throw new ProtocolError(400, "HOST_REPEATED", "Host may stand once");
    // Empty is what a client must send for a target without authority (RFC 9112 §3.2).
    if (hostEnd <= hostStart) return "";
    const host = text.slice(hostStart - headStart, hostEnd - headStart);
    if (!isPlainHost(buffer, hostStart, hostEnd) && !isHost(host)) {
      throw new ProtocolError(
        400,
        "HOST_MALFORMED",
        "Host is a name or address, maybe with a port",
      );
    }
    return host;
  }

  /** Takes the request line's parts, RFC 9112 §3.2. */
  #takeLine(buffer: Buffer, text: string, headStart: number): void {
    const start = line.targetStart - headStart;
    const end = line.targetEnd - headStart;
    this.method = line.method;
    this.target = end - start === 1 ? text[start]! : text.slice(start, end);
    if (buffer[line.targetStart] === SLASH && line.method !== "CONNECT") {
      if (line.questionAt < 0) {
        this.path = this.target;
        this.query = "";
      } else {
        const question = line.questionAt - headStart;
        this.path = text.slice(start, question);
        this.query = text.slice(question + 1, end);
      }
      return;
    }
    const reduced = reduceTarget(line.method, this.target);
    this.path = reduced.path;
    this.query = reduced.query;
    if (reduced.authority !== undefined) {
      this.host = reduced.authority;
      this.#repeatable = false;
    }
  }
}

function requestLineTooLong(): ProtocolError {
  return new ProtocolError(414, "REQUEST_LINE_TOO_LONG", "The request line is too long");
}

function headTooLarge(): ProtocolError {
  return new ProtocolError(431, "HEAD_TOO_LARGE", "The request's head is too large");
}
