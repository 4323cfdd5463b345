import { BodyChannel } from "../core/body-channel.ts";
import { creditBytes } from "../core/bounds.ts";
import type { Request } from "../core/request.ts";
import type { Queued } from "../queue/request-queue.ts";
import type { WorkerHandle, WorkerRequest } from "../workers/worker-handle.ts";
import type { RouteTarget } from "./route-table.ts";

/** Whoever sends an exchange's answer to its client: a connection, or `inject`. */
export interface AnswerOwner {
  /** The exchange has a whole answer; it goes out when its turn comes. */
  answered(exchange: Exchange): void;
  /** The exchange has the head of an answer that streams. */
  started(exchange: Exchange): void;
  /** A chunk of it. A promise when the client is behind. */
  wrote(exchange: Exchange, chunk: Uint8Array): Promise<void> | undefined;
  ended(exchange: Exchange): void;
  /** The answer broke off after its head: the client must notice. */
  failed(exchange: Exchange): void;
  /** The reader of the request's body has room again. */
  bodyRoom(exchange: Exchange): void;
}

/** Where an exchange goes when its way changes. */
export interface ExchangeRouter {
  /** Nobody waits for it any more, and it waits in the queue. */
  forget(exchange: Exchange): void;
  /** The request was with a worker that is gone, and its handler had not started. */
  requeue(exchange: Exchange): void;
  /** The same, but the handler may have run. */
  lost(exchange: Exchange): void;
}

/**
 * One request and its answer at the edge. It is what waits in the queue, what a worker handle
 * sends, and the `Responder` that takes the answer, from a worker or from a handler on the edge.
 */
export class Exchange implements Queued, WorkerRequest {
  readonly method: string;
  readonly target: string;
  readonly headerText: string;
  readonly ip: string;
  readonly #owner: AnswerOwner;
  readonly #router: ExchangeRouter;

  /** Set once the route is known. */
  handlerIndex = 0;
  bodyBytesMax = 0;
  priority = 0;
  expiresAtMs = Infinity;
  queueSlot = -1;
  queueOrder = 0;

  worker: WorkerHandle | null = null;
  workerSlot = -1;
  workerOrder = 0;

  /** The whole body as latin1 string; `null` when it streams. */
  wholeBody: string | null = "";
  #bodyState: "none" | "arriving" | "complete" = "none";
  #bodyReader: WorkerHandle | BodyChannel | null = null;
  #bodyBacklog: Uint8Array[] = [];
  #bodyCredit = creditBytes;
  #bodySent = false;

  /** How far the answer is. `abandoned`: nobody waits for it any more. */
  state: "waiting" | "answered" | "streaming" | "ended" | "failed" | "abandoned" = "waiting";
  status = 0;
  answerHeaderText = "";
  answerBody = "";
  /** Of a streamed answer: bytes announced, or −1. */
  answerLength = -1;
  /** The connection closes after this answer. */
  close = false;
  /** HTTP/1.0: no chunks. */
  oldProtocol = false;
  /** What was made of a streamed answer before its turn on the connection came. */
  held: {
    readonly chunks: Uint8Array[];
    readonly promise: Promise<void>;
    readonly resolve: () => void;
  } | null = null;
  /** The next request of the same connection. */
  next: Exchange | null = null;
  /** The request, when its handler runs on the edge. */
  request: Request | null = null;

  constructor(
    owner: AnswerOwner,
    router: ExchangeRouter,
    method: string,
    target: string,
    headerText: string,
    ip: string,
  ) {
    this.#owner = owner;
    this.#router = router;
    this.method = method;
    this.target = target;
    this.headerText = headerText;
    this.ip = ip;
  }

  /** The request found its route. */
  assign(route: RouteTarget, nowMs: number): void {
    this.handlerIndex = route.index;
    this.bodyBytesMax = route.bodyBytesMax;
    this.priority = route.priority;
    this.expiresAtMs = nowMs + route.queueTimeoutMs;
  }

  // ── The answer ─────────────────────────────────────────────────────────────────────────────────

  get open(): boolean {
    return this.state === "waiting" || this.state === "streaming";
  }

  answer(status: number, headerText: string, body: string): void {
    if (this.state !== "waiting") return;
    this.state = "answered";
    this.status = status;
    this.answerHeaderText = headerText;
    this.answerBody = body;
    this.#owner.answered(this);
  }

  start(status: number, headerText: string, length: number): void {
    if (this.state !== "waiting") return;
    this.state = "streaming";
    this.status = status;
    this.answerHeaderText = headerText;
    this.answerLength = length;
    this.#owner.started(this);
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.state !== "streaming") return undefined;
    return this.#owner.wrote(this, chunk);
  }

  end(): void {
    if (this.state !== "streaming") return;
    this.state = "ended";
    this.#owner.ended(this);
  }

  fail(): void {
    if (this.state !== "streaming") return;
    this.state = "failed";
    this.#owner.failed(this);
  }

  /** Nobody waits for the answer any more: the client is gone, or has its answer by other means. */
  abandon(reason: Error): void {
    if (this.open) this.state = "abandoned";
    this.#bodyBacklog = [];
    if (this.queueSlot >= 0) this.#router.forget(this);
    this.worker?.cancel(this);
    if (this.#bodyReader instanceof BodyChannel) this.#bodyReader.fail(reason);
    this.request?.abort(reason);
  }

  // ── The request's body ─────────────────────────────────────────────────────────────────────────

  /** The body follows in chunks. */
  streamBody(): void {
    this.wholeBody = null;
    this.#bodyState = "arriving";
  }

  /** Opens the body for a handler on the edge. */
  openBody(): BodyChannel {
    const channel = new BodyChannel((bytes) => this.bodyRead(bytes));
    this.#attachReader(channel);
    return channel;
  }

  dispatched(): void {
    if (this.wholeBody === null) this.#attachReader(this.worker);
  }

  /**
   * More of a streamed body. The bytes are copied. False: hold back until the owner hears
   * `bodyRoom`.
   */
  addBody(bytes: Uint8Array): boolean {
    // Nobody will read it, so nobody would ever make room for more.
    if (!this.open) return true;
    this.#bodyCredit -= bytes.byteLength;
    if (this.#bodyReader === null) this.#bodyBacklog.push(new Uint8Array(bytes));
    else this.#passBody(bytes);
    return this.#bodyCredit > 0;
  }

  completeBody(): void {
    this.#bodyState = "complete";
    if (this.#bodyReader !== null) this.#endBody();
  }

  bodyRead(bytes: number): void {
    const held = this.#bodyCredit <= 0;
    this.#bodyCredit += bytes;
    if (held && this.#bodyCredit > 0) this.#owner.bodyRoom(this);
  }

  workerLost(started: boolean): void {
    this.#bodyReader = null;
    if (!this.open) return;
    if (started || this.#bodySent) this.#router.lost(this);
    else this.#router.requeue(this);
  }

  #attachReader(reader: WorkerHandle | BodyChannel | null): void {
    this.#bodyReader = reader;
    const backlog = this.#bodyBacklog;
    this.#bodyBacklog = [];
    for (const bytes of backlog) this.#passBody(bytes);
    if (this.#bodyState === "complete") this.#endBody();
  }

  #passBody(bytes: Uint8Array): void {
    this.#bodySent = true;
    if (this.#bodyReader instanceof BodyChannel) this.#bodyReader.push(new Uint8Array(bytes));
    else this.#bodyReader?.sendBody(this, bytes);
  }

  #endBody(): void {
    if (this.#bodyReader instanceof BodyChannel) this.#bodyReader.end();
    else this.#bodyReader?.endBody(this);
  }
}
