/**
 * Field lines, RFC 9112 §5: one pass that checks every octet and notes the few fields framing
 * depends on.
 */
import { ProtocolError } from "../core/errors.ts";
import { noteConnection, noteExpect } from "./connection.ts";
import { parseContentLength } from "./framing.ts";
import {
  COLON,
  CR,
  INCOMPLETE,
  LF,
  SP,
  TAB,
  TOKEN,
  VALUE,
  spells,
  spellsToken,
  latin1Text,
} from "./octets.ts";
import { badLineEnd } from "./request-line.ts";

/** What the last scanned field lines say about the message they belong to. */
export class FieldFacts {
  hostCount = 0;
  hostStart = 0;
  hostEnd = 0;
  /** The value of Content-Length, or -1 without one. */
  contentLength = -1;
  /** The values of all Transfer-Encoding fields as one list; `undefined` without one. */
  transferEncoding: string | undefined = undefined;
  /** Options listed in Connection (RFC 9110 §7.6.1). */
  close = false;
  keepAlive = false;
  upgradeOption = false;
  /** An Upgrade field is present (RFC 9110 §7.8). */
  upgradeField = false;
  /** `Expect: 100-continue` is present (RFC 9110 §10.1.1). */
  expectContinue = false;

  /** Forgets everything, for the next message. */
  clear(): void {
    this.hostCount = 0;
    this.contentLength = -1;
    this.transferEncoding = undefined;
    this.close = false;
    this.keepAlive = false;
    this.upgradeOption = false;
    this.upgradeField = false;
    this.expectContinue = false;
  }
}

/**
 * By length of name (all below 32): the first letter of the one field of that length we act upon.
 */
const FIRST_LETTER = new Uint8Array(32);
for (const name of [
  "host",
  "expect",
  "upgrade",
  "connection",
  "content-length",
  "transfer-encoding",
]) {
  FIRST_LETTER[name.length] = name.charCodeAt(0);
}

/**
 * Scans field lines and the empty line after them, from `start` and no further than `end`, into
 * `facts`.
 *
 * @returns the index after the empty line, or INCOMPLETE when `end` comes first.
 * @throws ProtocolError on the first line that breaks a rule.
 */
export function scanFields(
  buffer: Buffer,
  start: number,
  end: number,
  countMax: number,
  facts: FieldFacts,
): number {
  facts.clear();
  let at = start;
  for (let count = 0; ; count += 1) {
    if (at === end) return INCOMPLETE;
    if (buffer[at] === CR) {
      if (at + 1 === end) return INCOMPLETE;
      if (buffer[at + 1] !== LF) throw badLineEnd();
      return at + 2;
    }
    if (count === countMax) throw new ProtocolError(431, "HEADERS_TOO_MANY", tooMany(countMax));

    const nameStart = at;
    while (at < end && TOKEN[buffer[at]!] === 1) at += 1;
    if (at === end) return INCOMPLETE;
    if (buffer[at] !== COLON || at === nameStart) throw badName(buffer[at]!, at === nameStart);
    const colon = at;

    at += 1;
    while (at < end && VALUE[buffer[at]!] === 1) at += 1;
    if (at === end || (at + 1 === end && buffer[at] === CR)) return INCOMPLETE;
    if (buffer[at] !== CR || buffer[at + 1] !== LF) throw badValue(buffer[at]!);

    // Length and first letter rule out nearly every field that is of no interest here, before
    // anything is called.
    const nameLength = colon - nameStart;
    const letter = buffer[nameStart]! | 0x20;
    if (FIRST_LETTER[nameLength & 31] === letter) noteField(buffer, nameStart, colon, at, facts);
    at += 2;
  }
}

/** Notes a field that may be one of those we act upon; told by the length of its name first. */
function noteField(
  buffer: Buffer,
  nameStart: number,
  colon: number,
  lineEnd: number,
  facts: FieldFacts,
): void {
  switch (colon - nameStart) {
    case 4:
      if (spellsToken(buffer, nameStart, "host")) noteHost(buffer, colon + 1, lineEnd, facts);
      return;
    case 6:
      if (!spellsToken(buffer, nameStart, "expect")) return;
      noteExpect(valueText(buffer, colon + 1, lineEnd), facts);
      return;
    case 7:
      if (spellsToken(buffer, nameStart, "upgrade")) facts.upgradeField = true;
      return;
    case 10:
      if (!spellsToken(buffer, nameStart, "connection")) return;
      // What most clients send, told without making a string.
      if (lineEnd - colon === 12 && spells(buffer, colon + 1, " keep-alive")) {
        facts.keepAlive = true;
        return;
      }
      noteConnection(valueText(buffer, colon + 1, lineEnd), facts);
      return;
    case 14:
      if (!spellsToken(buffer, nameStart, "content-length")) return;
      // RFC 9110 §8.6 lets us take equal repetitions for one. No honest client sends them: refuse.
      if (facts.contentLength >= 0) {
        throw new ProtocolError(400, "CONTENT_LENGTH_REPEATED", "Content-Length may stand once");
      }
      facts.contentLength = parseContentLength(
        buffer,
        valueStart(buffer, colon + 1, lineEnd),
        valueEnd(buffer, colon + 1, lineEnd),
      );
      return;
    case 17: {
      if (!spellsToken(buffer, nameStart, "transfer-encoding")) return;
      const value = valueText(buffer, colon + 1, lineEnd);
      const before = facts.transferEncoding;
      facts.transferEncoding = before === undefined ? value : `${before},${value}`;
      return;
    }
  }
}

function noteHost(buffer: Buffer, start: number, end: number, facts: FieldFacts): void {
  facts.hostCount += 1;
  facts.hostStart = valueStart(buffer, start, end);
  facts.hostEnd = valueEnd(buffer, start, end);
}

/** Index of the first octet after the optional whitespace before a value (RFC 9110 §5.6.3). */
function valueStart(buffer: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && (buffer[at] === SP || buffer[at] === TAB)) at += 1;
  return at;
}

/** Index after the last octet of a value, before the optional whitespace behind it. */
function valueEnd(buffer: Buffer, start: number, end: number): number {
  let at = end;
  while (at > start && (buffer[at - 1] === SP || buffer[at - 1] === TAB)) at -= 1;
  return at;
}

function valueText(buffer: Buffer, start: number, end: number): string {
  const from = valueStart(buffer, start, end);
  return latin1Text(buffer, from, Math.max(from, valueEnd(buffer, start, end)));
}

function tooMany(countMax: number): string {
  return `More than ${countMax} field lines`;
}

function badName(octet: number, atLineStart: boolean): ProtocolError {
  if (octet === CR || octet === LF) {
    return octet === LF
      ? badLineEnd()
      : new ProtocolError(400, "HEADER_NAME", "A field line is a name, a colon and a value");
  }
  if (octet === SP || octet === TAB) {
    // RFC 9112 §5.2: a server refuses obs-fold, or replaces it; §5.1: it must refuse space before
    // the colon.
    return atLineStart
      ? new ProtocolError(400, "HEADER_FOLDED", "A field line may not begin with whitespace")
      : new ProtocolError(400, "HEADER_SPACE", "No whitespace may stand before a field's colon");
  }
  return new ProtocolError(400, "HEADER_NAME", "A field name is a token and isn't empty");
}

function badValue(octet: number): ProtocolError {
  if (octet === CR || octet === LF) return badLineEnd();
  return new ProtocolError(400, "HEADER_VALUE", "A field value holds no control character but tab");
}
