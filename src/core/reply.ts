import { setCookieText, type CookieInit } from "./cookies.ts";
import { MillraceError } from "./errors.ts";
import type { HandlerResult } from "./handler.ts";
import { HeaderList, type HeadersInit } from "./header-list.ts";
import { isResponse } from "./result-kind.ts";

/** Status and fields of a reply. */
export interface ReplyInit {
  /** 200 to 599; 200 unless given. */
  readonly status?: number | undefined;
  readonly headers?: HeadersInit | undefined;
  /** Cookies to set, by name; see `setCookieText` for what a bare string gets. */
  readonly cookies?: Readonly<Record<string, string | CookieInit>> | undefined;
}

/**
 * An answer with status and fields of its own. Middleware may change all of it before it is sent:
 *
 * ```ts
 * const answer = asReply(await next(request));
 * answer.headers.set("cache-control", "no-store");
 * return answer;
 * ```
 */
export class Reply {
  /** 200 to 599. */
  status: number;
  readonly headers: HeaderList;
  /** Anything a handler may return; null or undefined for an empty body. */
  body: unknown;

  constructor(body?: unknown, init?: ReplyInit) {
    this.body = body;
    this.status = init?.status ?? 200;
    this.headers = new HeaderList(init?.headers);
    if (init?.cookies === undefined) return;
    for (const name of Object.keys(init.cookies)) {
      const cookie = init.cookies[name];
      if (cookie !== undefined) this.headers.append("set-cookie", setCookieText(name, cookie));
    }
  }
}

/** A reply with `body`, which may be whatever a handler may return, or nothing. */
export function reply(body?: HandlerResult, init?: ReplyInit): Reply {
  return new Reply(body, init);
}

/** A reply that is HTML. `text` is sent as it is: escape in it what comes from elsewhere. */
export function html(text: string, init?: ReplyInit): Reply {
  const answer = new Reply(text, init);
  if (!answer.headers.has("content-type")) {
    answer.headers.set("content-type", "text/html; charset=utf-8");
  }
  return answer;
}

/**
 * The statuses of a redirect (RFC 9110 §15.4). 307 and 308 keep the method, 301 and 308 are
 * remembered.
 */
export type RedirectStatus = 301 | 302 | 303 | 307 | 308;

/**
 * Sends the client to `location`, a URL or a path. What may not stand in a URL is percent-encoded,
 * a backslash too, which browsers would take for a slash. Throws `MillraceError`
 * `REDIRECT_LOCATION` for control characters, so that nobody can write further header fields
 * through it, and `REDIRECT_STATUS`.
 *
 * A location made from what a client sent can lead anywhere (`//other.example`): check it first.
 */
export function redirect(location: string | URL, status: RedirectStatus = 302): Reply {
  if (![301, 302, 303, 307, 308].includes(status)) {
    throw new MillraceError(
      "REDIRECT_STATUS",
      `Cannot redirect with status ${status}: give 301, 302, 303, 307 or 308`,
    );
  }
  const text = String(location);
  if (/[\0-\x1f\x7f]/.test(text)) {
    throw new MillraceError(
      "REDIRECT_LOCATION",
      "Cannot redirect to a location that holds a control character",
    );
  }
  const encoded = text.toWellFormed().replace(notInUrl, encodeURIComponent);
  return new Reply(null, { status, headers: { location: encoded } });
}

/** What may not stand in a URL reference (RFC 3986 §2): all but reserved, unreserved and "%". */
const notInUrl = /[^!#$%&'()*+,\-./0-9:;=?@A-Z[\]_a-z~]/gu;

/** Makes a `Reply` of whatever a handler returned, so that its fields can be changed. */
export function asReply(result: HandlerResult): Reply {
  if (result instanceof Reply) return result;
  if (result === undefined) throw nothingReturned();
  if (result === null) return new Reply(null, { status: 204 });
  return isResponse(result) ? fromResponse(result) : new Reply(result);
}

/**
 * A `Reply` that says what a web `Response` says. Throws `MillraceError` when its body is already
 * used.
 */
export function fromResponse(response: Response): Reply {
  if (response.bodyUsed) {
    throw new MillraceError(
      "RESPONSE_USED",
      "Cannot send a Response whose body was already read: clone it first",
    );
  }
  const answer = new Reply(response.body, { status: response.status, headers: response.headers });
  // `fetch` has undone the encoding, so what the origin said about the encoded bytes is no longer
  // true.
  if (response.url !== "") {
    answer.headers.delete("content-encoding");
    answer.headers.delete("content-length");
  }
  return answer;
}

/** @internal The error of a handler without a result. */
export function nothingReturned(): MillraceError {
  return new MillraceError(
    "RESULT_MISSING",
    "The handler returned nothing: return what the client shall get, or null for 204 No Content",
  );
}
