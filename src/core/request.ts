import { parseCookie } from "cookie";
import { RequestHeaders } from "./request-headers.ts";
import {
  bytesOf,
  checkJsonType,
  decodeText,
  gather,
  parseJson,
  type BodyStream,
  type RequestBody,
} from "./request-body.ts";
import { pathOf, queryOf, urlOf } from "./request-target.ts";

export type { BodyStream, RequestBody } from "./request-body.ts";

/** What a request needs of the pattern its route was declared with. */
export interface PathPattern {
  /** What `path`, raw and known to match, gives each name of the pattern. */
  params(path: string): Record<string, string>;
}

/**
 * One request, as a handler sees it. It offers what the web's `Request` offers, as far as a server
 * has a use for it, and besides the route's `params`, the `query`, the `cookies`, the client's `ip`
 * and a `state` for middleware.
 *
 * Everything is made when it is first asked for: a handler that reads nothing pays for nothing.
 */
export class Request<Params = Record<string, string>, State = object> {
  /** As sent, case-sensitive: `"GET"`, `"POST"`, … */
  readonly method: string;
  /** The request target as sent, e.g. `/users/7?full=1`. */
  readonly target: string;
  /** Address of the client, as the connection knows it. */
  readonly ip: string;
  /** Whether the request came over TLS. Set by the edge. */
  secure = false;
  readonly #headerText: string;
  readonly #pattern: PathPattern | null;
  readonly #body: RequestBody;
  #bodyUsed = false;
  #bodyStream: ReadableStream<Uint8Array> | undefined = undefined;
  #headers: RequestHeaders | undefined = undefined;
  #path: string | undefined = undefined;
  #params: Params | undefined = undefined;
  #query: URLSearchParams | undefined = undefined;
  #cookies: Record<string, string> | undefined = undefined;
  #state: State | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #abortReason: unknown = undefined;

  /**
   * @internal Requests are made by the server.
   * @param headerText checked field lines, each `name:value\r\n`
   * @param pattern what the route was declared with; null when there is no route
   */
  constructor(
    method: string,
    target: string,
    headerText: string,
    ip: string,
    pattern: PathPattern | null,
    body: RequestBody,
  ) {
    this.method = method;
    this.target = target;
    this.ip = ip;
    this.#headerText = headerText;
    this.#pattern = pattern;
    this.#body = body;
  }

  /**
   * The path as sent, without the query, percent-encoded; an absolute target is reduced to its
   * path.
   */
  get path(): string {
    return (this.#path ??= pathOf(this.target));
  }

  /**
   * The absolute URL. Its host is what the client says (`Host`), so trust it as little as any other
   * field.
   */
  get url(): string {
    const host = this.headers.get("host") ?? "localhost";
    return urlOf(this.target, this.secure ? "https" : "http", host);
  }

  /** What the path gives the parameters of the route's pattern, each decoded once. */
  get params(): Params {
    // The pattern's type says which names there are; `app.get("/users/:id", …)` ties the two
    // together.
    return (this.#params ??= (this.#pattern?.params(this.path) ?? Object.create(null)) as Params);
  }

  /** The query, decoded. Changing it changes nothing but this object. */
  get query(): URLSearchParams {
    return (this.#query ??= new URLSearchParams(queryOf(this.target)));
  }

  /** The header fields. */
  get headers(): RequestHeaders {
    return (this.#headers ??= new RequestHeaders(this.#headerText));
  }

  /**
   * The cookies, on an object without prototype. Values are percent-decoded, or as sent when that
   * fails; of several with one name the first counts.
   */
  get cookies(): Record<string, string> {
    return (this.#cookies ??= parseCookies(this.headers.get("cookie")));
  }

  /**
   * A place for what middleware finds out: the user, say. Empty at first, and this request's alone.
   */
  get state(): State {
    return (this.#state ??= {} as State);
  }

  /**
   * Aborts once nobody waits for the answer: the client went away, or the server gave up on the
   * request.
   */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  /** Whether `abort` was called. Unlike `signal.aborted` it makes no signal. */
  get aborted(): boolean {
    return this.#abortReason !== undefined;
  }

  /**
   * @internal Aborts `signal`, also when it is asked for only later. A second call changes nothing.
   */
  abort(reason: unknown = new DOMException("Nobody waits for the answer", "AbortError")): void {
    if (this.#abortReason !== undefined) return;
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }

  /**
   * Whether the body is used up. Only a body that was streamed (one beyond 64 KB) ever is: a small
   * one is there whole and may be read any number of times.
   */
  get bodyUsed(): boolean {
    return this.#bodyUsed;
  }

  /**
   * The body as a stream, null when there is none. Always the same stream; it starts when it is
   * first read.
   */
  get body(): ReadableStream<Uint8Array> | null {
    if (this.#body === "") return null;
    return (this.#bodyStream ??= this.#streamBody());
  }

  /** The body's bytes, in a buffer of their own; empty when there is none. */
  async bytes(): Promise<Uint8Array> {
    if (typeof this.#body === "string") return bytesOf(this.#body);
    return new Uint8Array((await gather(this.#open(this.#body))).buffer);
  }

  /**
   * The body as text. It is read as UTF-8, whatever its Content-Type says, as the web's `text()`
   * does.
   */
  async text(): Promise<string> {
    return decodeText(await this.#whole());
  }

  /**
   * The body as JSON. Rejects with `HttpError` 415 unless its Content-Type is `application/json` or
   * ends with `+json`, and with 400 when it is empty or not JSON. `T` is only claimed: check what
   * comes from a client.
   */
  async json<T = unknown>(): Promise<T> {
    const type = this.headers.get("content-type");
    if (this.#body !== "" || type !== null) checkJsonType(type);
    return parseJson(typeof this.#body === "string" ? this.#body : await this.#whole()) as T;
  }

  async #whole(): Promise<string | Buffer> {
    return typeof this.#body === "string" ? this.#body : gather(this.#open(this.#body));
  }

  /** Takes a streamed body for its one reader. */
  #open(body: BodyStream): AsyncIterable<Uint8Array> {
    if (this.#bodyUsed) {
      throw new TypeError(
        "The request body was already read: one beyond 64 KB streams, so keep what you need of it",
      );
    }
    this.#bodyUsed = true;
    return body.open();
  }

  #streamBody(): ReadableStream<Uint8Array> {
    const body = this.#body;
    let chunks: AsyncIterator<Uint8Array> | undefined;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          if (typeof body === "string") {
            controller.enqueue(bytesOf(body));
            controller.close();
            return;
          }
          chunks ??= this.#open(body)[Symbol.asyncIterator]();
          const next = await chunks.next();
          if (next.done === true) controller.close();
          else controller.enqueue(next.value);
        },
        cancel: async () => {
          await chunks?.return?.();
        },
      },
      // Nothing is read ahead: merely looking at `body` must not use it up.
      { highWaterMark: 0 },
    );
  }
}

function parseCookies(text: string | null): Record<string, string> {
  // The package types values as possibly undefined because a custom decoder may say so; the default
  // one never does.
  return (text === null ? Object.create(null) : parseCookie(text)) as Record<string, string>;
}
