/** Response heads, RFC 9112 §4 to §6, as latin1 strings: head and body go out in one write. */
import { isFieldValue } from "../core/header-text.ts";
import { statusLine } from "./status.ts";

/** What is the same in every head. */
export interface ResponseSerializerOptions {
  /** Value of the `server` field; "" for none, which tells an attacker less. */
  readonly serverField: string;
}

/** `contentLength` of a response whose length isn't known when its head is sent. */
export const UNKNOWN_LENGTH = -1;

/** Lengths whose framing text is kept ready. */
const lengthsKept = 1024;

/** Composes response heads. One serves all connections of a thread. */
export class ResponseSerializer {
  readonly #serverLine: string;
  #dateLine = "";
  /** By status: status line, server and date. Emptied when the date changes. */
  #prefixes: (string | undefined)[] = newPrefixes();
  /** By length: the content-length line and the end of the head, for connections that stay open. */
  readonly #lengthEnds: string[] = [];

  /** @throws RangeError when `serverField` can't be a field value. */
  constructor(options: ResponseSerializerOptions) {
    const { serverField } = options;
    if (!isFieldValue(serverField)) {
      throw new RangeError("Cannot send this server field: it holds a control character");
    }
    this.#serverLine = serverField === "" ? "" : `server: ${serverField}\r\n`;
    for (let length = 0; length < lengthsKept; length += 1) {
      this.#lengthEnds.push(`content-length: ${length}\r\n\r\n`);
    }
  }

  /**
   * Sets the `date` of all heads from now on (RFC 9110 §6.6.1): an IMF-fixdate such as
   * `toUTCString()` gives. To be called once a second; cheap when nothing has changed. Until the
   * first call heads have no date.
   */
  setDate(date: string): void {
    const dateLine = `date: ${date}\r\n`;
    if (dateLine === this.#dateLine) return;
    this.#dateLine = dateLine;
    this.#prefixes = newPrefixes();
  }

  /**
   * The head of a final response, its empty line included; append the body to it.
   *
   * @param fields field lines `name: value\r\n` that `serializeHeaderFields` made, without framing
   *   or Connection fields.
   * @param contentLength bytes of body, of what GET would send when answering HEAD; or
   *   UNKNOWN_LENGTH: chunked then, but for HTTP/1.0, where the end of the connection ends the body
   *   (so `keepAlive` must be false). Not looked at for 1xx, 204 and 304, which have neither body
   *   nor framing (RFC 9110 §8.6, RFC 9112 §6.1).
   * @param keepAlive whether the connection stays open after this response.
   * @param oldProtocol whether the request was HTTP/1.0.
   */
  head(
    status: number,
    fields: string,
    contentLength: number,
    keepAlive: boolean,
    oldProtocol: boolean,
  ): string {
    const prefix = this.#prefixes[status] ?? this.#newPrefix(status);
    // The common case first: two concatenations, and no number to write out for small bodies.
    if (
      keepAlive &&
      !oldProtocol &&
      contentLength >= 0 &&
      contentLength < lengthsKept &&
      !isBodiless(status)
    ) {
      return prefix + fields + this.#lengthEnds[contentLength]!;
    }
    return (
      prefix +
      fields +
      framingLine(status, contentLength, oldProtocol) +
      connectionLine(keepAlive, oldProtocol) +
      "\r\n"
    );
  }

  /**
   * An interim response, RFC 9110 §15.2: 100 (Continue), 103 (Early Hints), or 101 (Switching
   * Protocols), which has its Connection and Upgrade lines in `fields`. No date, no framing. Never
   * send one to HTTP/1.0.
   */
  interim(status: number, fields = ""): string {
    return statusLine(status) + fields + "\r\n";
  }

  #newPrefix(status: number): string {
    const prefix = statusLine(status) + this.#serverLine + this.#dateLine;
    this.#prefixes[status] = prefix;
    return prefix;
  }
}

function newPrefixes(): (string | undefined)[] {
  return new Array<string | undefined>(600).fill(undefined);
}

/** Whether a response with `status` ends with its head, whatever its fields say (RFC 9112 §6.3). */
export function isBodiless(status: number): boolean {
  return status === 204 || status === 304 || status < 200;
}

function framingLine(status: number, contentLength: number, oldProtocol: boolean): string {
  if (isBodiless(status)) return "";
  if (contentLength >= 0) return `content-length: ${contentLength}\r\n`;
  return oldProtocol ? "" : "transfer-encoding: chunked\r\n";
}

/** RFC 9112 §9.3: staying open is what HTTP/1.1 assumes, and what HTTP/1.0 has to be told. */
function connectionLine(keepAlive: boolean, oldProtocol: boolean): string {
  if (!keepAlive) return "connection: close\r\n";
  return oldProtocol ? "connection: keep-alive\r\n" : "";
}
