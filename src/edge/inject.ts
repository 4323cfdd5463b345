import { wholeBytesMax } from "../core/bounds.ts";
import { serializeHeaderFields } from "../core/header-text.ts";
import type { Edge } from "./edge.ts";
import { Exchange, type AnswerOwner } from "./exchange.ts";

/** Statuses that have no body; `Response` refuses one (Fetch, "null body status"). */
const nullBodyStatuses: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

/**
 * Answers a request without a socket: everything else is as on the wire, routes, limits, queue and
 * workers.
 * @returns once the head of the answer is there; its body may still stream
 */
export async function inject(edge: Edge, request: globalThis.Request): Promise<Response> {
  const url = new URL(request.url);
  const headers = new Headers(request.headers);
  if (!headers.has("host")) headers.set("host", url.host);
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.byteLength > 0) headers.set("content-length", String(bytes.byteLength));
  const owner = new InjectedAnswer();
  const headerText = serializeHeaderFields(headers);
  const exchange = new Exchange(
    owner,
    edge,
    request.method,
    url.pathname + url.search,
    headerText,
    "127.0.0.1",
  );
  request.signal.addEventListener("abort", () => exchange.abandon(abortError(request.signal)), {
    once: true,
  });
  const route = edge.route(exchange, url.pathname);
  if (route === null) return owner.response;
  if (bytes.byteLength > exchange.bodyBytesMax) {
    edge.refuse(
      exchange,
      413,
      `The request body is larger than the ${exchange.bodyBytesMax} bytes accepted here`,
    );
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
  return owner.response;
}

function abortError(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new DOMException("Aborted", "AbortError");
}

/** Makes a web `Response` of what an exchange answers. */
class InjectedAnswer implements AnswerOwner {
  readonly #answer = Promise.withResolvers<Response>();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #read: (() => void) | undefined;
  #room: (() => void) | undefined;

  get response(): Promise<Response> {
    return this.#answer.promise;
  }

  /** Resolves once more of the request's body may be given. */
  room(): Promise<void> {
    return new Promise((resolve) => (this.#room = resolve));
  }

  answered(exchange: Exchange): void {
    this.#room?.();
    const body = exchange.method === "HEAD" ? "" : exchange.answerBody;
    this.#respond(exchange, Buffer.from(body, "latin1"));
  }

  started(exchange: Exchange): void {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => {
        this.#read?.();
        this.#read = undefined;
      },
      cancel: () => exchange.abandon(new DOMException("The reader cancelled", "AbortError")),
    });
    this.#respond(exchange, body);
  }

  wrote(_exchange: Exchange, chunk: Uint8Array): Promise<void> | undefined {
    const controller = this.#controller;
    if (controller === undefined) return undefined;
    controller.enqueue(new Uint8Array(chunk));
    if ((controller.desiredSize ?? 0) > 0) return undefined;
    return new Promise((resolve) => (this.#read = resolve));
  }

  ended(): void {
    this.#room?.();
    this.#controller?.close();
  }

  failed(): void {
    this.#controller?.error(new Error("The answer broke off"));
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
