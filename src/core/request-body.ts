import { isUtf8 } from "node:buffer";
import { HttpError } from "./errors.ts";

/** A request body that arrives while its handler runs. */
export interface BodyStream {
  /**
   * Its bytes as they come; may be called once. Reading throws what stopped the body: `HttpError`
   * 413 when it grew past the route's limit, an `AbortError` when the client broke off.
   */
  open(): AsyncIterable<Uint8Array>;
}

/**
 * A whole body as a latin1 string, one character a byte, `""` when there is none; or one that is
 * still arriving.
 */
export type RequestBody = string | BodyStream;

/** The bytes of `body`, in a buffer that nobody else holds. */
export function bytesOf(body: string): Uint8Array<ArrayBuffer> {
  // Not `Buffer.from`: small ones are windows on a pool, and `.buffer` would show what else is in
  // it.
  const bytes = Buffer.allocUnsafeSlow(body.length);
  bytes.write(body, "latin1");
  return new Uint8Array(bytes.buffer);
}

/** Gathers a streamed body in a buffer of its own; its size was limited where it came in. */
export async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Buffer<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.byteLength;
  }
  const whole = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/**
 * Decodes UTF-8 as the web does: a byte order mark is dropped, what is malformed becomes U+FFFD.
 */
export function decodeText(body: string | Buffer): string {
  if (typeof body === "string") {
    // ASCII only, as nearly all JSON is: the byte string is the text.
    if (Buffer.byteLength(body) === body.length) return body;
    body = Buffer.from(body, "latin1");
  }
  return withoutMark(body.toString("utf8"));
}

/**
 * Parses a JSON body. Throws `HttpError` 400: `JSON_EMPTY`, `JSON_ENCODING` when it isn't UTF-8
 * (RFC 8259 §8.1) or `JSON_INVALID`. The messages hold nothing of the body.
 */
export function parseJson(body: string | Buffer): unknown {
  if (body.length === 0) {
    throw new HttpError(400, "The request body is empty: send JSON", { code: "JSON_EMPTY" });
  }
  const isAscii = typeof body === "string" && Buffer.byteLength(body) === body.length;
  if (!isAscii && !isUtf8(typeof body === "string" ? Buffer.from(body, "latin1") : body)) {
    throw new HttpError(400, "The request body is not UTF-8", { code: "JSON_ENCODING" });
  }
  try {
    return JSON.parse(decodeText(body));
  } catch (cause) {
    throw new HttpError(400, "The request body is not valid JSON", { code: "JSON_INVALID", cause });
  }
}

/**
 * Checks that a body says it is JSON: `application/json` or any `…+json`, whatever its parameters.
 * Throws `HttpError`
 * 415. Insisting on it also keeps a plain HTML form of another site from posting JSON.
 */
export function checkJsonType(contentType: string | null): void {
  if (contentType === "application/json") return;
  const type = mediaTypeOf(contentType ?? "");
  if (type === "application/json" || (type.endsWith("+json") && type.includes("/"))) return;
  throw new HttpError(415, "The request body must be JSON: send content-type application/json", {
    code: "JSON_TYPE",
  });
}

/** The type and subtype of a Content-Type, in lower case, without parameters (RFC 9110 §8.3.1). */
function mediaTypeOf(contentType: string): string {
  const semicolon = contentType.indexOf(";");
  const type = semicolon === -1 ? contentType : contentType.slice(0, semicolon);
  return type.trim().toLowerCase();
}

function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
