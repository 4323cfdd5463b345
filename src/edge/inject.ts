import { wholeBytesMax } from "../core/bounds.ts";
import { serializeHeaderFields } from "../core/header-text.ts";
import type { Edge } from "./edge.ts";
import { Exchange, type AnswerOwner } from "./exchange.ts";
import type { RouteTarget } from "./route-table.ts";

/** Statuses that have no body; `Response` refuses one (Fetch, "null body status"). */
const nullBodyStatuses: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

/**
 * Answers a request without a socket: everything else is as on the wire, routes, limits, queue and
 * workers. Resolves once the head of the answer is there; its body may still stream. Rejects, or
 * breaks the body, with the reason of `signal` once that aborts: the caller's own, because a
 * request only holds on weakly to the one it was made with.
 */
export async function inject(
  edge: Edge,
  request: globalThis.Request,
  signal: AbortSignal,
): Promise<Response> {
  signal.throwIfAborted();
  const url = new URL(request.url);
  const headers = new Headers(request.headers);
  if (!headers.has("host")) headers.set("host", url.host);
  const bytes = new Uint8Array(await request.arrayBuffer());
  signal.throwIfAborted();
  if (bytes.byteLength > 0) headers.set("content-length", String(bytes.byteLength));
  const owner = new InjectedAnswer();
  const exchange = new Exchange(
    owner,
    edge,
    request.method,
    url.pathname + url.search,
    serializeHeaderFields(headers),
    "127.0.0.1",
  );
  const onAbort = (): void => {
    const reason = abortError(signal);
    exchange.abandon(reason);
    owner.abort(reason);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  const route = edge.route(exchange, url.pathname);
  if (route !== null) void sendBody({ edge, exchange, route, owner, bytes });
  return owner.response;
}

interface InjectedBody {
  readonly edge: Edge;
  readonly exchange: Exchange;
  readonly route: RouteTarget;
  readonly owner: InjectedAnswer;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Dispatches the request, with its body whole or following as fast as it is read. */
async function sendBody({ edge, exchange, route, owner, bytes }: InjectedBody): Promise<void> {
  if (bytes.byteLength > exchange.bodyBytesMax) {
    edge.refuseBody(exchange);
  } else if (bytes.byteLength > wholeBytesMax) {
    exchange.streamBody();
    edge.dispatch(exchange, route);
    for (let at = 0; at < bytes.byteLength; at += wholeBytesMax) {
      if (!exchange.addBody(bytes.subarray(at, at + wholeBytesMax))) await owner.room();
    }
    exchange.completeBody();
  } else {
    exchange.wholeBody = Buffer.from(bytes.buffer).toString("latin1");
    edge.dispatch(exchange, route);
  }
}

function abortError(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new DOMException("Aborted", "AbortError");
}

/** Makes a web `Response` of what an exchange answers. */
class InjectedAnswer implements AnswerOwner {
  readonly #answer = Promise.withResolvers<Response>();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #state: "waiting" | "streaming" | "done" = "waiting";
  #read: (() => void) | undefined;
  #room: (() => void) | undefined;

  get response(): Promise<Response> {
    return this.#answer.promise;
  }

  /** Resolves once more of the request's body may be given. */
  room(): Promise<void> {
    return new Promise((resolve) => (this.#room = resolve));
  }

  /** Nobody waits for it any more. */
  abort(reason: Error): void {
    this.#answer.reject(reason);
    this.#read?.();
    this.#room?.();
    if (this.#state === "streaming") this.#controller?.error(reason);
    this.#state = "done";
  }

  answered(exchange: Exchange): void {
    this.#room?.();
    this.#state = "done";
    const body = exchange.method === "HEAD" ? "" : exchange.answerBody;
    this.#respond(exchange, Buffer.from(body, "latin1"));
  }

  started(exchange: Exchange): void {
    this.#state = "streaming";
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => {
        this.#read?.();
        this.#read = undefined;
      },
      cancel: () => {
        this.#state = "done";
        this.#read?.();
        exchange.abandon(new DOMException("The reader cancelled", "AbortError"));
      },
    });
    this.#respond(exchange, body);
  }

  wrote(_exchange: Exchange, chunk: Uint8Array): Promise<void> | undefined {
    const controller = this.#controller;
    if (controller === undefined || this.#state !== "streaming") return undefined;
    controller.enqueue(new Uint8Array(chunk));
    if ((controller.desiredSize ?? 0) > 0) return undefined;
    return new Promise((resolve) => (this.#read = resolve));
  }

  ended(): void {
    this.#room?.();
    if (this.#state === "streaming") this.#controller?.close();
    this.#state = "done";
  }

  failed(): void {
    this.#room?.();
    if (this.#state === "streaming") this.#controller?.error(new Error("The answer broke off"));
    this.#state = "done";
  }

  bodyRoom(): void {
    this.#room?.();
  }

  #respond(exchange: Exchange, body: Uint8Array<ArrayBuffer> | ReadableStream): void {
    const { status } = exchange;
    const headers = new Headers();
    for (const line of exchange.answerHeaderText.split("\r\n")) {
      const colon = line.indexOf(":");
      if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1));
    }
    this.#answer.resolve(
      new Response(nullBodyStatuses.has(status) ? null : body, { status, headers }),
    );
  }
}
