import { Answer } from "./answer.ts";
import { HttpError } from "./errors.ts";
import type { HeadersInit } from "./header-list.ts";
import { Reply } from "./reply.ts";
import type { Request } from "./request.ts";
import { reasonPhrase } from "./reason-phrase.ts";

/** Problem details, RFC 9457 §3.1. */
export interface ProblemDetails {
  readonly type: "about:blank";
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
}

/**
 * A reply that says what is wrong as `application/problem+json` (RFC 9457).
 * @param detail for the client's eyes, about this occurrence
 */
export function problem(status: number, detail?: string, headers?: HeadersInit): Reply {
  const answer = new Reply(JSON.stringify(problemDetails(status, detail ?? "")), {
    status,
    headers,
  });
  answer.headers.set("content-type", "application/problem+json");
  return answer;
}

/**
 * The fields and the body of an error answer, for those who have no `Request`: problem details (RFC
 * 9457) for a client that takes JSON, a line of text for one that would rather read text or HTML.
 * @param detail sent as it is; `""` for none. Beyond 499 it must not tell anything about the inside
 * @param accept the request's Accept field
 * @returns serialised fields, and the body as a latin1 byte string
 */
export function problemAnswer(
  status: number,
  detail: string,
  accept: string | null,
): { headerText: string; body: string } {
  if (acceptsJson(accept)) {
    const body = byteString(JSON.stringify(problemDetails(status, detail)));
    return { headerText: "content-type: application/problem+json\r\n", body };
  }
  const line = `${status} ${statusText(status)}\n`;
  const body = byteString(detail === "" ? line : `${line}${detail}\n`);
  return { headerText: "content-type: text/plain; charset=utf-8\r\n", body };
}

/**
 * What a client is told of an error: status, message and fields of an `HttpError`; of anything else
 * nothing but 500. The form follows the request's Accept field.
 */
export function errorReply(error: unknown, request: Request): Reply {
  if (!(error instanceof HttpError)) return problemReply(500, "", request);
  const answer = problemReply(error.status, error.message, request);
  for (const name of Object.keys(error.headers)) {
    answer.headers.set(name, error.headers[name] as string);
  }
  return answer;
}

/**
 * What is said to a request that no route takes: 404; 405 where the path has other methods; 204
 * with `Allow` to OPTIONS (RFC 9110 §9.3.7, §15.5.6). `OPTIONS *` asks about the whole server, and
 * is 204.
 * @param allowed what `Router.allowed` gives
 */
export function missReply(request: Request, allowed: readonly string[]): Reply {
  const headers = allowed.length === 0 ? undefined : { allow: allowed.join(", ") };
  if (request.method === "OPTIONS" && (headers !== undefined || request.target === "*")) {
    return new Reply(null, { status: 204, headers });
  }
  const answer =
    headers === undefined
      ? problemReply(404, "There is nothing at this path", request)
      : problemReply(405, `This path does not take ${request.method}`, request);
  if (headers !== undefined) answer.headers.set("allow", headers.allow);
  return answer;
}

/** The answer when even making an answer failed. */
export const serverErrorAnswer: Answer = new Answer(
  500,
  "content-type: application/problem+json\r\n",
  JSON.stringify(problemDetails(500, "")),
  null,
  -1,
);

/** Whether a client that sends this Accept field would rather have JSON than text. */
export function acceptsJson(accept: string | null): boolean {
  if (accept === null || accept === "" || accept === "*/*") return true;
  let json = false;
  let anything = false;
  let text = false;
  for (const range of accept.toLowerCase().split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    if (parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))) continue;
    if (type === "application/json" || type === "application/*" || type.endsWith("+json")) {
      json = true;
    } else if (type === "*/*") anything = true;
    else if (type === "text/html" || type === "text/plain") text = true;
  }
  return json || (anything && !text);
}

function problemReply(status: number, detail: string, request: Request): Reply {
  const json = acceptsJson(request.headers.get("accept"));
  if (json) return problem(status, detail);
  const line = `${status} ${statusText(status)}\n`;
  return new Reply(detail === "" ? line : `${line}${detail}\n`, { status });
}

function problemDetails(status: number, detail: string): ProblemDetails {
  const known = { type: "about:blank", title: statusText(status), status } as const;
  return detail === "" ? known : { ...known, detail };
}

function byteString(text: string): string {
  return Buffer.byteLength(text) === text.length
    ? text
    : Buffer.from(text, "utf8").toString("latin1");
}

/** What a status is called; `Status <n>` where nobody has named it. */
function statusText(status: number): string {
  const phrase = reasonPhrase(status);
  return phrase === "" ? `Status ${status}` : phrase;
}
