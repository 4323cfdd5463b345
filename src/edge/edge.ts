import type { Socket } from "node:net";
import { missIndex, type Application } from "../core/application.ts";
import type { Clock } from "../core/clock.ts";
import { HttpError } from "../core/errors.ts";
import type { Handler } from "../core/handler.ts";
import { errorReply, missReply, problemAnswer } from "../core/problem.ts";
import type { Reply } from "../core/reply.ts";
import { Request, type PathPattern } from "../core/request.ts";
import { RequestHeaders } from "../core/request-headers.ts";
import { runHandler, type ReportError } from "../core/run.ts";
import type { Limits } from "../config/limits.ts";
import { defaultParserLimits, type ParserLimits } from "../http1/limits.ts";
import { ResponseSerializer } from "../http1/serializer.ts";
import { TimerWheel } from "../net/timer-wheel.ts";
import { Connection } from "./connection.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Exchange, ExchangeRouter } from "./exchange.ts";
import type { RouteTable, RouteTarget } from "./route-table.ts";

/** What an edge is made of. */
export interface EdgeOptions {
  readonly limits: Limits;
  readonly clock: Clock;
  /** Value of the `server` field; empty for none. */
  readonly serverField: string;
  readonly routes: RouteTable;
  /** Gives requests to workers; null when everything runs on the edge. */
  readonly dispatcher: Dispatcher | null;
  /** The application as it runs on the edge itself; null when none of its code runs here. */
  readonly application: Application | null;
  /** Looks a miss up in the folders of files that the edge serves; null when there are none. */
  readonly files: FilesHandler | null;
  /** Told of every error of a handler on the edge that no client may see. */
  readonly report: ReportError;
  /** Told of errors that are the server's own. */
  readonly fault: (error: unknown) => void;
}

/** Answers a GET or HEAD request with a file, or with `undefined` when there is no such file. */
export type FilesHandler = (request: Request) => Promise<Reply | undefined>;

/** How often timeouts are looked at and the date is renewed, in ms. */
const tickMs = 100;

/**
 * The edge loop: takes connections, finds the route of each request, answers it here or has a
 * worker answer it.
 */
export class Edge implements ExchangeRouter {
  readonly limits: Limits;
  readonly parserLimits: ParserLimits;
  readonly wheel: TimerWheel;
  readonly serializer: ResponseSerializer;
  /** Every answer closes its connection. */
  draining = false;
  readonly #options: EdgeOptions;
  readonly #recoverer: Pick<Application, "recover">;
  readonly #handlers: Application["handlers"];
  readonly #patterns: Application["patterns"];
  readonly #miss: Handler;
  readonly #connections = new Set<Connection>();
  #ticker: NodeJS.Timeout | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(options: EdgeOptions) {
    this.#options = options;
    this.limits = options.limits;
    const { requestLineBytesMax, headBytesMax, headerCountMax } = options.limits;
    this.parserLimits = {
      ...defaultParserLimits,
      requestLineBytesMax,
      headBytesMax,
      headerCountMax,
    };
    this.wheel = new TimerWheel({ clock: options.clock, tickMs });
    this.serializer = new ResponseSerializer({ serverField: options.serverField });
    const { application, routes } = options;
    this.#recoverer = { recover: application?.recover ?? errorReply };
    this.#handlers = application?.handlers ?? [];
    this.#patterns = application?.patterns ?? [];
    this.#miss =
      application !== null && routes.miss.placement === "thread"
        ? application.miss
        : (request) => missReply(request, allowed(routes, request.path));
    this.#tick();
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  start(): void {
    this.#ticker = setInterval(() => this.#tick(), tickMs);
    this.#ticker.unref();
  }

  /** Takes a connection on, or closes it at once when there are too many. */
  accept(socket: Socket): void {
    if (this.#connections.size >= this.limits.connectionsMax) {
      socket.destroy();
      return;
    }
    this.#connections.add(new Connection(socket, this));
  }

  // ── Requests ───────────────────────────────────────────────────────────────────────────────────

  /** Finds who answers; `null` when it was answered here and now. */
  route(exchange: Exchange, path: string): RouteTarget | null {
    const { routes } = this.#options;
    let route: RouteTarget | undefined;
    try {
      route = routes.find(exchange.method, path);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      this.refuse(exchange, error.status, error.message);
      return null;
    }
    route ??= routes.miss;
    exchange.assign(route, this.wheel.nowMs);
    return route;
  }

  /** Has the request answered, its body being whole or on its way. */
  dispatch(exchange: Exchange, route: RouteTarget): void {
    const { files } = this.#options;
    const mayBeFile = files !== null && route.index === missIndex && isRead(exchange.method);
    if (mayBeFile) void this.#serveFile(exchange, route, files);
    else this.#give(exchange, route);
  }

  async #serveFile(exchange: Exchange, route: RouteTarget, files: FilesHandler): Promise<void> {
    // Without its body, which a worker may still want.
    const { method, target, headerText, ip } = exchange;
    const request = new Request(method, target, headerText, ip, null, "");
    exchange.request = request;
    try {
      const reply = await files(request);
      if (reply === undefined) this.#give(exchange, route);
      else this.#run(exchange, request, () => reply);
    } catch (error) {
      this.#run(exchange, request, () => {
        throw error;
      });
    }
  }

  #give(exchange: Exchange, route: RouteTarget): void {
    const { dispatcher } = this.#options;
    if (!exchange.open) return;
    if (route.placement === "thread" && dispatcher !== null) dispatcher.dispatch(exchange);
    else this.#runHere(exchange, route.index);
  }

  #runHere(exchange: Exchange, index: number): void {
    const request = this.#requestOf(exchange, this.#patterns[index] ?? null);
    const handler = index === missIndex ? this.#miss : this.#handlers[index];
    if (handler === undefined) throw new Error(`No handler ${index} on the edge`);
    this.#run(exchange, request, handler);
  }

  #requestOf(exchange: Exchange, pattern: PathPattern | null): Request {
    const { method, target, headerText, ip, wholeBody } = exchange;
    const request = new Request(
      method,
      target,
      headerText,
      ip,
      pattern,
      wholeBody ?? exchange.openBody(),
    );
    exchange.request = request;
    return request;
  }

  #run(exchange: Exchange, request: Request, handler: Handler): void {
    const { report } = this.#options;
    runHandler({ application: this.#recoverer, handler, request, responder: exchange, report });
  }

  /** Answers with a problem (RFC 9457), in JSON or text as the client likes. */
  refuse(exchange: Exchange, status: number, detail: string, retryAfterSeconds?: number): void {
    const accept = new RequestHeaders(exchange.headerText).get("accept");
    const { headerText, body } = problemAnswer(status, detail, accept);
    const retry = retryAfterSeconds === undefined ? "" : `retry-after: ${retryAfterSeconds}\r\n`;
    exchange.answer(status, retry + headerText, body);
  }

  /** Refuses a body over its route's limit, and what may follow it on the connection. */
  refuseBody(exchange: Exchange): void {
    exchange.close = true;
    const limit = exchange.bodyBytesMax;
    const detail = `The request body is larger than the ${limit} bytes accepted here`;
    // An answer that has begun can't be taken back: it is cut.
    if (exchange.state === "streaming") exchange.fail();
    else this.refuse(exchange, 413, detail);
    exchange.abandon(new HttpError(413, detail));
  }

  /** The client is gone before the request could start. */
  forget(exchange: Exchange): void {
    this.#options.dispatcher?.remove(exchange);
  }

  requeue(exchange: Exchange): void {
    this.#options.dispatcher?.dispatch(exchange);
  }

  lost(exchange: Exchange): void {
    if (exchange.state === "streaming") exchange.fail();
    else
      this.refuse(exchange, 502, "The worker that ran this request ended before it had answered");
  }

  // ── The end ────────────────────────────────────────────────────────────────────────────────────

  /** @internal */
  connectionClosed(connection: Connection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  /** Idle connections end now, the others after what they are at. Resolves when none is left. */
  async drain(deadline: AbortSignal): Promise<void> {
    this.draining = true;
    for (const connection of this.#connections) connection.finish();
    if (this.#connections.size === 0 || deadline.aborted) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      deadline.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** Something of ours went wrong while a connection was served: it ends with that connection. */
  fault(error: unknown): void {
    this.#options.fault(error);
  }

  /** Cuts every connection, and refuses what still waits. */
  close(): void {
    this.#options.dispatcher?.refuseAll("The server has stopped");
    clearInterval(this.#ticker);
    for (const connection of [...this.#connections]) connection.destroy();
  }

  #tick(): void {
    this.serializer.setDate(new Date().toUTCString());
    this.wheel.turn();
    this.#options.dispatcher?.tick(this.wheel.nowMs);
  }
}

function isRead(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

function allowed(routes: RouteTable, path: string): readonly string[] {
  return path.startsWith("/") ? routes.allowed(path) : [];
}
