import { wholeBytesMax } from "./bounds.ts";
import { MillraceError } from "./errors.ts";
import type { HeaderList } from "./header-list.ts";
import { serializeHeaderFields } from "./header-text.ts";
import { fromResponse, nothingReturned, Reply } from "./reply.ts";
import { isAsyncIterable, isReadableStream, isResponse, isSyncIterator } from "./result-kind.ts";

/** Where the bytes of an answer come from when they don't cross whole. */
export type AnswerSource =
  Uint8Array | ReadableStream | AsyncIterable<unknown> | IterableIterator<unknown>;

/** A handler's result, ready for a `Responder`. */
export class Answer {
  readonly status: number;
  /**
   * Checked field lines without framing. A `connection: close` of the application comes as the very
   * first line; no other Connection field is ever there.
   */
  readonly headerText: string;
  /** The whole body as a latin1 string; `""` when it is empty or comes from `source`. */
  readonly body: string;
  readonly source: AnswerSource | null;
  /**
   * Bytes that `source` gives, or −1. Without a source: what the application says HEAD would be
   * told, or −1.
   */
  readonly length: number;

  constructor(
    status: number,
    headerText: string,
    body: string,
    source: AnswerSource | null,
    length: number,
  ) {
    this.status = status;
    this.headerText = headerText;
    this.body = body;
    this.source = source;
    this.length = length;
  }
}

/** First line of `headerText` when the application wants the connection closed. */
export const connectionClose = "connection: close\r\n";

const textType = "content-type: text/plain; charset=utf-8\r\n";
const jsonType = "content-type: application/json\r\n";
const bytesType = "content-type: application/octet-stream\r\n";

/**
 * Turns a handler's result into an answer:
 *
 * - string: `text/plain; charset=utf-8`
 * - object, array, number, boolean: `application/json`
 * - `Uint8Array`, `ArrayBuffer`: `application/octet-stream`
 * - stream, async iterable, generator, of strings or bytes: streamed as `application/octet-stream`
 * - `null`: 204
 * - `Reply`, web `Response`: as they say; a `Reply` without content type gets that of its body
 *
 * Whole bodies beyond `wholeBytesMax` are streamed. Throws `MillraceError` for what can't be sent,
 * and whatever `JSON.stringify` throws.
 */
export function renderAnswer(result: unknown): Answer {
  // The two kinds that nearly every handler returns come first.
  if (typeof result === "string") return textAnswer(200, textType, result);
  if (typeof result !== "object" || result === null) return renderPrimitive(result);
  const prototype: unknown = Object.getPrototypeOf(result);
  if (
    (prototype === Object.prototype || prototype === Array.prototype) &&
    !isAsyncIterable(result)
  ) {
    return textAnswer(200, jsonType, stringify(result));
  }
  if (result instanceof Reply) return renderReply(result);
  if (isResponse(result)) return renderReply(fromResponse(result));
  return renderBody(200, "", true, result, -1);
}

/** Whether a response of this status has no content (RFC 9110 §15.3.5, §15.3.6, §15.4.5). */
export function isBodiless(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

function renderPrimitive(result: unknown): Answer {
  if (result === null) return new Answer(204, "", "", null, -1);
  if (result === undefined) throw nothingReturned();
  if (typeof result === "number" || typeof result === "boolean") {
    return textAnswer(200, jsonType, JSON.stringify(result));
  }
  throw new MillraceError("RESULT_KIND", `A handler cannot return a ${typeof result}`);
}

function renderReply(reply: Reply): Answer {
  const { status, headers, body } = reply;
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new MillraceError("REPLY_STATUS", `Cannot send status ${status}: give 200 to 599`);
  }
  const fields = readFields(headers);
  if (body === undefined || body === null) {
    return new Answer(status, fields.text, "", null, fields.length);
  }
  return renderBody(status, fields.text, !fields.typed, body, fields.length);
}

/** @param untyped whether the fields lack a content type, so that the body's kind names it */
function renderBody(
  status: number,
  fields: string,
  untyped: boolean,
  body: unknown,
  length: number,
): Answer {
  if (isBodiless(status)) {
    const source = typeof body === "object" && body !== null && isStream(body) ? body : null;
    return new Answer(status, fields, "", source, -1);
  }
  if (typeof body === "string") {
    return textAnswer(status, untyped ? fields + textType : fields, body);
  }
  if (typeof body === "object" && body !== null) {
    const bytes = bytesOf(body);
    if (bytes !== undefined)
      return bytesAnswer(status, untyped ? fields + bytesType : fields, bytes);
    if (isStream(body)) {
      return new Answer(status, untyped ? fields + bytesType : fields, "", body, length);
    }
    if (body instanceof Reply || isResponse(body) || isThenable(body)) {
      throw new MillraceError(
        "REPLY_BODY",
        "The body of a reply cannot be a Reply, a Response or a promise: " +
          "await it, or return it alone",
      );
    }
  }
  return textAnswer(status, untyped ? fields + jsonType : fields, stringify(body));
}

function textAnswer(status: number, fields: string, text: string): Answer {
  const length = Buffer.byteLength(text);
  if (length > wholeBytesMax) {
    return new Answer(status, fields, "", Buffer.from(text, "utf8"), length);
  }
  // As many bytes as characters means ASCII: the text is its own byte string.
  const body = length === text.length ? text : Buffer.from(text, "utf8").toString("latin1");
  return new Answer(status, fields, body, null, -1);
}

function bytesAnswer(status: number, fields: string, bytes: Buffer): Answer {
  const length = bytes.byteLength;
  if (length > wholeBytesMax) return new Answer(status, fields, "", bytes, length);
  return new Answer(status, fields, bytes.toString("latin1"), null, -1);
}

function stringify(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) {
    throw new MillraceError(
      "RESULT_KIND",
      `A handler cannot return a ${typeof value}: JSON has none`,
    );
  }
  return text;
}

/** The bytes of `body`, not copied, if it holds bytes. */
function bytesOf(body: object): Buffer | undefined {
  if (ArrayBuffer.isView(body)) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return body instanceof ArrayBuffer ? Buffer.from(body) : undefined;
}

function isStream(body: object): body is Exclude<AnswerSource, Uint8Array> {
  return isReadableStream(body) || isAsyncIterable(body) || isSyncIterator(body);
}

function isThenable(body: object): boolean {
  return typeof (body as Partial<PromiseLike<unknown>>).then === "function";
}

interface Fields {
  readonly text: string;
  readonly typed: boolean;
  /** What a Content-Length said, or −1. */
  readonly length: number;
}

/**
 * Framing and the connection are the edge's business: only a wish to close comes through, and a
 * length.
 */
const connectionFields: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

function readFields(headers: HeaderList): Fields {
  let typed = false;
  let special = false;
  for (const [name] of headers) {
    if (name === "content-type") typed = true;
    else if (connectionFields.has(name)) special = true;
  }
  if (!special) return { text: serializeHeaderFields(headers), typed, length: -1 };
  const kept: [string, string][] = [];
  let close = false;
  let length = -1;
  for (const [name, value] of headers) {
    if (name === "content-length") length = parseLength(value, length);
    else if (name === "connection") close ||= /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i.test(value);
    else if (!connectionFields.has(name)) kept.push([name, value]);
  }
  const text = (close ? connectionClose : "") + serializeHeaderFields(kept);
  return { text, typed, length };
}

function parseLength(value: string, before: number): number {
  const length = /^\d{1,15}$/.test(value) ? Number(value) : -1;
  if (length === -1 || (before !== -1 && before !== length)) {
    throw new MillraceError(
      "CONTENT_LENGTH",
      "Cannot send a Content-Length that is not one number of bytes",
    );
  }
  return length;
}
