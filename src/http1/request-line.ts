/** The request line, RFC 9112 §3: `method SP request-target SP HTTP-version CRLF`. */
import { ProtocolError } from "../core/errors.ts";
import { methodBytesMax } from "./limits.ts";
import { CR, INCOMPLETE, LF, QUESTION, SP, TARGET, TOKEN, spells, latin1Text } from "./octets.ts";

/** Where the parts of the last scanned request line stand in its buffer. */
export class RequestLine {
  method = "";
  targetStart = 0;
  targetEnd = 0;
  /** Index of the first "?" of the target, or -1. */
  questionAt = -1;
  versionMinor: 0 | 1 = 1;
}

/**
 * Scans a request line that starts at `start`, looking no further than `end`, into `line`.
 *
 * @returns the index after its CRLF, or INCOMPLETE when `end` comes first.
 * @throws ProtocolError on the first octet that can't belong to a request line.
 */
export function scanRequestLine(
  buffer: Buffer,
  start: number,
  end: number,
  line: RequestLine,
): number {
  let at = scanMethod(buffer, start, end, line);
  if (at === INCOMPLETE) return INCOMPLETE;

  line.targetStart = at;
  let questionAt = -1;
  let octet = 0;
  while (at < end && TARGET[(octet = buffer[at]!)] === 1) {
    if (octet === QUESTION && questionAt < 0) questionAt = at;
    at += 1;
  }
  if (at === end) return INCOMPLETE;
  if (octet !== SP || at === line.targetStart) throw badTarget(octet, at === line.targetStart);
  line.targetEnd = at;
  line.questionAt = questionAt;
  return scanVersion(buffer, at + 1, end, line);
}

/** @returns the index after the space that follows the method, or INCOMPLETE. */
function scanMethod(buffer: Buffer, start: number, end: number, line: RequestLine): number {
  // Nearly all requests are GET: four compares, no string made.
  if (
    end - start > 4 &&
    buffer[start] === 0x47 &&
    buffer[start + 1] === 0x45 &&
    buffer[start + 2] === 0x54 &&
    buffer[start + 3] === SP
  ) {
    line.method = "GET";
    return start + 4;
  }
  let at = start;
  while (at < end && TOKEN[buffer[at]!] === 1) at += 1;
  if (at - start > methodBytesMax) {
    throw new ProtocolError(501, "METHOD_TOO_LONG", `A method has at most ${methodBytesMax} bytes`);
  }
  if (at === end) return INCOMPLETE;
  if (at === start || buffer[at] !== SP) throw badMethod(buffer[at]!, at === start);
  line.method = methodName(buffer, start, at);
  return at + 1;
}

/**
 * The method as a constant where it is a common one, so that no string is made and comparing it is
 * comparing pointers.
 */
function methodName(buffer: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length === 4) {
    if (spells(buffer, start, "POST")) return "POST";
    if (spells(buffer, start, "HEAD")) return "HEAD";
  } else if (length === 3) {
    if (spells(buffer, start, "PUT")) return "PUT";
    if (spells(buffer, start, "GET")) return "GET";
  } else if (length === 5) {
    if (spells(buffer, start, "PATCH")) return "PATCH";
  } else if (length === 6) {
    if (spells(buffer, start, "DELETE")) return "DELETE";
  } else if (length === 7) {
    if (spells(buffer, start, "OPTIONS")) return "OPTIONS";
    if (spells(buffer, start, "CONNECT")) return "CONNECT";
  }
  return latin1Text(buffer, start, end);
}

/** @returns the index after the line's CRLF, or INCOMPLETE. */
function scanVersion(buffer: Buffer, at: number, end: number, line: RequestLine): number {
  if (
    end - at >= 10 &&
    buffer[at] === 0x48 &&
    buffer[at + 1] === 0x54 &&
    buffer[at + 2] === 0x54 &&
    buffer[at + 3] === 0x50 &&
    buffer[at + 4] === 0x2f &&
    buffer[at + 5] === 0x31 &&
    buffer[at + 6] === 0x2e &&
    buffer[at + 7] === 0x31 &&
    buffer[at + 8] === CR &&
    buffer[at + 9] === LF
  ) {
    line.versionMinor = 1;
    return at + 10;
  }
  return scanOtherVersion(buffer, at, end, line);
}

/**
 * Any line end but ` HTTP/1.1\r\n`. It is judged once whole, so that its verdict doesn't depend on
 * how it was cut.
 */
function scanOtherVersion(buffer: Buffer, at: number, end: number, line: RequestLine): number {
  const lineFeedAt = buffer.indexOf(LF, at);
  if (lineFeedAt < 0 || lineFeedAt >= end) return INCOMPLETE;
  const text = latin1Text(buffer, at, lineFeedAt);
  const version = /^HTTP\/(\d)\.(\d)\r$/.exec(text);
  if (version === null) throw badVersion(text);
  if (version[1] !== "1") {
    // RFC 9113 §3.4: how HTTP/2 begins. Named, because it is a configuration mistake worth telling
    // from an attack.
    if (line.method === "PRI") {
      throw new ProtocolError(505, "HTTP2_PREFACE", "HTTP/2 was spoken where HTTP/1.1 is expected");
    }
    throw new ProtocolError(505, "VERSION_UNSUPPORTED", "Only HTTP/1.0 and HTTP/1.1 are spoken");
  }
  // RFC 9110 §2.5: a higher minor version is a message we can process as the highest minor we know.
  line.versionMinor = version[2] === "0" ? 0 : 1;
  return lineFeedAt + 1;
}

function badMethod(octet: number, atStart: boolean): ProtocolError {
  if (octet === CR || octet === LF) return badLineEnd();
  // RFC 8446 §5.1: 22 is the content type of the record that carries a ClientHello.
  if (atStart && octet === 0x16) {
    return new ProtocolError(
      400,
      "TLS_ON_PLAIN_PORT",
      "TLS was spoken where plain HTTP is expected",
    );
  }
  return new ProtocolError(400, "METHOD", "A request line begins with a method and one space");
}

function badTarget(octet: number, empty: boolean): ProtocolError {
  if (octet === LF) return badLineEnd();
  if (octet === CR && !empty) {
    return new ProtocolError(400, "VERSION", "A request line ends with one space and the version");
  }
  return new ProtocolError(400, "TARGET", "A request target is visible ASCII without # or spaces");
}

function badVersion(text: string): ProtocolError {
  if (/^HTTP\/\d\.\d$/.test(text) || text.slice(0, -1).includes("\r")) return badLineEnd();
  return new ProtocolError(400, "VERSION", "A request line ends with HTTP/1.0 or HTTP/1.1");
}

/**
 * RFC 9112 §2.2: a bare CR is invalid; a bare LF may be taken for a line end, which some do and
 * some don't: refuse.
 */
export function badLineEnd(): ProtocolError {
  return new ProtocolError(400, "LINE_END", "A line ends with CR LF, and neither stands alone");
}
