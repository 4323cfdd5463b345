/**
 * How long a message is, RFC 9112 §6. Every doubt is refused: a proxy before us may have seen it
 * the other way.
 */
import { ProtocolError } from "../core/errors.ts";
import { isFieldName } from "../core/header-text.ts";
import { trimWhitespace } from "./connection.ts";
import type { FieldFacts } from "./fields.ts";

/**
 * Reads the Content-Length in octets [start, end), RFC 9110 §8.6: digits, nothing else, up to 2^53
 * - 1.
 *
 * @throws ProtocolError 400 for a sign, a space, a list, an empty value or a larger number.
 */
export function parseContentLength(buffer: Buffer, start: number, end: number): number {
  let length = 0;
  for (let at = start; at < end; at += 1) {
    const digit = buffer[at]! - 0x30;
    if (digit < 0 || digit > 9) throw badContentLength();
    length = length * 10 + digit;
    if (length > Number.MAX_SAFE_INTEGER) throw badContentLength();
  }
  if (end <= start) throw badContentLength();
  return length;
}

/**
 * Decides whether the content is chunked, RFC 9112 §6.1 and §6.3.
 *
 * @throws ProtocolError when Transfer-Encoding stands in HTTP/1.0 or beside Content-Length, or
 *   isn't `chunked` alone.
 */
export function isChunked(facts: FieldFacts, versionMinor: 0 | 1): boolean {
  if (facts.transferEncoding === undefined) return false;
  if (versionMinor === 0) {
    throw badFraming("TRANSFER_ENCODING_HTTP10", "HTTP/1.0 has no Transfer-Encoding");
  }
  if (facts.contentLength >= 0) {
    throw badFraming("FRAMING_CONFLICT", "Transfer-Encoding and Content-Length exclude each other");
  }
  if (facts.transferEncoding.toLowerCase() !== "chunked") {
    throw badTransferEncoding(facts.transferEncoding);
  }
  return true;
}

/**
 * RFC 9112 §6.1: 501 for codings we don't know; 400 when chunked isn't the last, stands twice or
 * has parameters, and for what is no list of codings at all, empty elements included.
 */
function badTransferEncoding(value: string): ProtocolError {
  const codings = value.toLowerCase().split(",");
  for (const [index, element] of codings.entries()) {
    const [name = "", ...parameters] = element.split(";");
    const coding = trimWhitespace(name);
    if (!isFieldName(coding)) {
      return badFraming("TRANSFER_ENCODING", "Transfer-Encoding is not a list of codings");
    }
    if (coding === "chunked" && (index < codings.length - 1 || parameters.length > 0)) {
      return badFraming("TRANSFER_ENCODING", "chunked stands once, last and without parameters");
    }
  }
  return new ProtocolError(
    501,
    "TRANSFER_ENCODING_UNSUPPORTED",
    "The only transfer coding read here is chunked",
  );
}

function badContentLength(): ProtocolError {
  return badFraming("CONTENT_LENGTH", `Content-Length is digits, up to ${Number.MAX_SAFE_INTEGER}`);
}

function badFraming(code: string, message: string): ProtocolError {
  return new ProtocolError(400, code, message);
}
