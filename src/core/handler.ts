import type { Reply } from "./reply.ts";
import type { Request } from "./request.ts";

/** What a handler may return; `answer.ts` says how each kind is sent. `null` is 204 No Content. */
export type HandlerResult =
  | Reply
  | Response
  | string
  | Uint8Array
  | ReadableStream
  | AsyncIterable<unknown>
  | object
  | number
  | boolean
  | null;

/** Answers a request. Everything in Millrace that answers is one. */
export type Handler<Params = Record<string, string>, State = object> = (
  request: Request<Params, State>,
) => HandlerResult | Promise<HandlerResult>;

/**
 * Wraps a handler. Folded once when the application starts: no closure is made for a request.
 * `State` is what it reads and sets on `request.state`; what other middleware keeps there is none
 * of its business, so `next` takes any state.
 */
export type Middleware<State extends object = object> = (
  request: Request<Record<string, string>, State>,
  next: Handler,
) => ReturnType<Handler>;
