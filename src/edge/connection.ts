import type { Socket } from "node:net";
import { ProtocolError } from "../core/errors.ts";
import { RequestParser, type ParserSink } from "../http1/parser.ts";
import { own, type SocketOwner } from "../net/socket-owner.ts";
import { Expiring } from "../net/timer-wheel.ts";
import { AnswerWriter } from "./answer-writer.ts";
import { BodyIntake } from "./body-intake.ts";
import type { Edge } from "./edge.ts";
import { Exchange, type AnswerOwner } from "./exchange.ts";

/** Why nothing is read from the client just now; bits of `#holds`. */
const hold = { pipelineFull: 1, unsent: 2, bodyFull: 4 } as const;

/**
 * - `open`: requests are read and answered
 * - `ending`: no request is read any more; what was accepted is answered, then the connection ends
 * - `lingering`: our side is closed; what the client still sends is dropped, so that it can read
 *   its answer
 * - `closed`: gone
 */
type State = "open" | "ending" | "lingering" | "closed";

/** One HTTP/1.1 connection's life: bytes → requests → edge → answers, in order → bytes. */
export class Connection extends Expiring implements SocketOwner, ParserSink, AnswerOwner {
  readonly #socket: Socket;
  readonly #edge: Edge;
  readonly #parser: RequestParser;
  readonly #writer: AnswerWriter;
  /** Address of the client; empty on a Unix socket. */
  readonly #ip: string;
  /** Made for the first body. */
  #intake: BodyIntake | null = null;
  #state: State = "open";
  /** Requests read and not yet wholly answered, oldest first: answers go out in this order. */
  #first: Exchange | null = null;
  #last: Exchange | null = null;
  #pending = 0;
  #holds = 0;
  /** What to know when the time is up: was anything answered, who stopped, what lies unsent. */
  #served = false;
  #clientEnded = false;
  #unsentSeen = 0;

  constructor(socket: Socket, edge: Edge) {
    super();
    this.#socket = socket;
    this.#edge = edge;
    this.#parser = new RequestParser(this, edge.parserLimits);
    this.#writer = new AnswerWriter(socket, edge);
    this.#ip = socket.remoteAddress ?? "";
    this.expiresAtMs = edge.wheel.nowMs + edge.limits.firstByteTimeoutMs;
    edge.wheel.add(this);
    own(socket, this);
  }

  /** Ends the connection if nothing is being read or answered on it; else the answers will. */
  finish(): void {
    if (this.#state === "open" && this.#first === null && !this.#parser.midMessage) {
      this.#endOurSide();
    }
  }

  /** Cuts the connection now. */
  destroy(): void {
    this.#socket.destroy();
  }

  // ── Requests in ───────────────────────────────────────────────────────────────────────────────

  receive(chunk: Buffer): void {
    if (this.#state !== "open") return;
    const wasMidHead = this.#parser.midHead;
    this.#writer.gathering = true;
    try {
      this.#parser.push(chunk);
    } catch (error) {
      this.#refuseProtocol(error);
    }
    this.#writer.gathering = false;
    this.#flush();
    if (this.#parser.midHead && !wasMidHead) this.#expireIn(this.#edge.limits.headTimeoutMs);
  }

  head(parser: RequestParser): void {
    const edge = this.#edge;
    const { method, target, headers } = parser;
    const exchange = new Exchange(this, edge, method, target, headers, this.#ip);
    exchange.oldProtocol = parser.versionMinor === 0;
    exchange.close = !parser.keepAlive;
    this.#append(exchange);
    const route = edge.route(exchange, parser.path);
    if (!parser.hasBody) {
      if (route !== null) edge.dispatch(exchange, route);
      return;
    }
    this.#intake ??= new BodyIntake(edge);
    this.#intake.begin(exchange, route, parser);
    this.#expireIn(edge.limits.bodyTimeoutMs);
    this.#sayContinue();
  }

  body(buffer: Buffer, start: number, end: number): void {
    this.#expireIn(this.#edge.limits.bodyTimeoutMs);
    const verdict = this.#intake?.take(buffer, start, end);
    if (verdict === "wait") this.#hold(hold.bodyFull);
    else if (verdict === "stop") this.#stopReading();
  }

  end(): void {
    if (this.#receiving !== null) {
      this.#intake?.complete();
      this.#expireIn(this.#edge.limits.keepAliveTimeoutMs);
    }
    if (this.#last?.close === true) this.#stopReading();
  }

  /** The request whose body is being read. */
  get #receiving(): Exchange | null {
    return this.#intake === null ? null : this.#intake.exchange;
  }

  /** RFC 9110 §10.1.1: says that the body is wanted, once the answers before it are out. */
  #sayContinue(): void {
    const intake = this.#intake;
    if (intake?.owesContinue !== true) return;
    if (this.#first !== intake.exchange || this.#first?.open !== true) return;
    intake.owesContinue = false;
    this.#writer.sayContinue();
  }

  // ── Answers out ───────────────────────────────────────────────────────────────────────────────

  answered(exchange: Exchange): void {
    if (exchange === this.#receiving) this.#answeredEarly(exchange);
    if (exchange === this.#first) this.#advance();
  }

  started(exchange: Exchange): void {
    if (exchange === this.#first) this.#start(exchange);
  }

  wrote(exchange: Exchange, chunk: Uint8Array): Promise<void> | undefined {
    // Not its turn yet: what was made so far is kept, and more is only made once it is (#start).
    if (exchange !== this.#first) {
      exchange.held ??= { chunks: [], ...Promise.withResolvers<void>() };
      exchange.held.chunks.push(chunk);
      return exchange.held.promise;
    }
    this.#sendChunk(exchange, chunk);
    return this.#writer.roomForMore();
  }

  ended(exchange: Exchange): void {
    if (exchange === this.#receiving) this.#answeredEarly(exchange);
    if (exchange === this.#first) this.#advance();
  }

  failed(exchange: Exchange): void {
    if (exchange === this.#first) this.destroy();
  }

  bodyRoom(): void {
    this.#release(hold.bodyFull);
  }

  #answeredEarly(exchange: Exchange): void {
    this.#intake?.answeredEarly(exchange);
    this.#release(hold.bodyFull);
  }

  /** Sends all that is complete at the front of the line. */
  #advance(): void {
    const wasFull = this.#pending >= this.#edge.limits.pipelinedMax;
    for (;;) {
      const exchange = this.#first;
      if (exchange === null) break;
      if (exchange.state === "answered") this.#writer.whole(exchange);
      else if (exchange.state !== "ended") break;
      else if (!this.#writer.end(exchange)) return this.destroy();
      this.#first = exchange.next;
      this.#pending -= 1;
      this.#served = true;
      if (exchange.close) return this.#endAfterAnswer();
      this.#comeToFront();
    }
    if (this.#first === null) {
      this.#last = null;
      if (!this.#parser.midMessage) this.#expireIn(this.#edge.limits.keepAliveTimeoutMs);
      if (!this.#writer.gathering) this.#flush();
    } else if (!this.#writer.gathering) {
      this.#writer.flushSoon();
    }
    if (wasFull) this.#release(hold.pipelineFull);
  }

  /** The exchange that has come to the front may have begun before its turn. */
  #comeToFront(): void {
    const exchange = this.#first;
    if (exchange === null) return;
    if (exchange.state === "streaming" || exchange.state === "ended") this.#start(exchange);
    else if (exchange.state === "failed") this.destroy();
    else this.#sayContinue();
  }

  #start(exchange: Exchange): void {
    this.#writer.start(exchange);
    if (exchange.method === "HEAD") {
      exchange.abandon(new DOMException("A HEAD request has no body", "AbortError"));
      exchange.state = "ended";
      return this.#advance();
    }
    const { held } = exchange;
    if (held === null) return;
    exchange.held = null;
    for (const chunk of held.chunks) this.#sendChunk(exchange, chunk);
    held.resolve();
  }

  #sendChunk(exchange: Exchange, chunk: Uint8Array): void {
    if (this.#writer.chunk(exchange, chunk)) this.#watchUnsent();
    else this.destroy();
  }

  #flush(): void {
    if (!this.#writer.flush()) this.#watchUnsent();
  }

  /** The client is behind: bound what is kept for it, in bytes and in time. */
  #watchUnsent(): void {
    const unsent = this.#writer.unsentBytes;
    if (unsent === 0) return;
    if (this.#unsentSeen === 0) {
      this.#unsentSeen = unsent;
      this.#expireIn(this.#edge.limits.sendTimeoutMs);
    }
    if (unsent > this.#edge.limits.unsentBytesMax) this.#hold(hold.unsent);
  }

  // ── Ends ──────────────────────────────────────────────────────────────────────────────────────

  #refuseProtocol(error: unknown): void {
    if (!(error instanceof ProtocolError)) throw error;
    const broken = this.#receiving;
    if (broken === null) {
      const refused = new Exchange(this, this.#edge, "GET", "/", "", this.#ip);
      this.#append(refused);
      this.#refuseAndEnd(refused, error);
    } else if (broken.state === "waiting") {
      this.#refuseAndEnd(broken, error);
      broken.abandon(error);
    } else if (broken.state === "streaming") {
      this.destroy();
    } else {
      this.#stopReading();
    }
  }

  #refuseAndEnd(exchange: Exchange, error: ProtocolError): void {
    this.#state = "ending";
    this.#parser.stop();
    this.#intake?.forget();
    exchange.close = true;
    this.#edge.refuse(exchange, error.status, error.message);
  }

  /** Nothing more is read; what was accepted is still answered. */
  #stopReading(): void {
    this.#parser.stop();
    this.#intake?.forget();
    if (this.#state === "open") this.#state = "ending";
    if (this.#last === null) this.#endOurSide();
    else this.#last.close = true;
  }

  #endAfterAnswer(): void {
    const after = this.#first;
    this.#first = null;
    this.#last = null;
    abandonAll(after, "The connection closes");
    this.#writer.flush();
    this.#endOurSide();
  }

  /**
   * Closes our side and waits for the client's: to close at once could destroy what it still reads.
   */
  #endOurSide(): void {
    if (this.#state === "closed" || this.#state === "lingering") return;
    this.#state = "lingering";
    this.#parser.stop();
    this.#intake?.forget();
    this.#socket.end();
    this.#socket.resume();
    this.#expireIn(this.#edge.limits.lingerTimeoutMs);
  }

  /**
   * The client closed its side. It may be gone, or wait for what it asked for: nothing
   *   tells the two apart before bytes are sent to it. So it gets what is answered soon, and counts
   *   as gone after that.
   */
  clientEnded(): void {
    if (this.#state === "lingering" || this.#state === "closed") return;
    if (this.#receiving !== null || this.#parser.midMessage) return this.destroy();
    this.#clientEnded = true;
    this.#stopReading();
    if (this.#last !== null) this.#expireIn(this.#edge.limits.halfClosedTimeoutMs);
  }

  drained(): void {
    this.#unsentSeen = 0;
    this.#writer.drained();
    if (this.#first === null) this.#expireIn(this.#edge.limits.keepAliveTimeoutMs);
    this.#release(hold.unsent);
  }

  closed(): void {
    this.#state = "closed";
    this.#parser.stop();
    this.#intake?.forget();
    this.#edge.wheel.remove(this);
    this.#writer.drained();
    abandonAll(this.#first, "The client is gone");
    this.#first = null;
    this.#last = null;
    this.#edge.connectionClosed(this);
  }

  onExpired(): void {
    const { limits } = this.#edge;
    if (this.#state === "lingering" || this.#state === "closed") return this.destroy();
    const unsent = this.#writer.unsentBytes;
    if (unsent > 0) {
      if (unsent >= this.#unsentSeen) return this.destroy();
      this.#unsentSeen = unsent;
      return this.#expireIn(limits.sendTimeoutMs);
    }
    if (this.#clientEnded && this.#first !== null) {
      // A stream shows by itself whether anybody takes it.
      if (this.#first.state !== "streaming") return this.destroy();
      return this.#expireIn(limits.halfClosedTimeoutMs);
    }
    if (this.#holds === 0 && this.#parser.midMessage && this.#state === "open") {
      const message = "The request did not arrive in time";
      return this.#refuseProtocol(new ProtocolError(408, "REQUEST_TIMEOUT", message));
    }
    if (this.#first !== null || this.#holds !== 0) {
      return this.#expireIn(limits.keepAliveTimeoutMs);
    }
    if (this.#served) this.#endOurSide();
    else this.destroy();
  }

  #expireIn(ms: number): void {
    this.#edge.wheel.set(this, this.#edge.wheel.nowMs + ms);
  }

  #append(exchange: Exchange): void {
    if (this.#last === null) this.#first = exchange;
    else this.#last.next = exchange;
    this.#last = exchange;
    this.#pending += 1;
    if (this.#pending >= this.#edge.limits.pipelinedMax) this.#hold(hold.pipelineFull);
  }

  #hold(reason: number): void {
    if (this.#holds === 0) {
      this.#parser.pause();
      this.#socket.pause();
    }
    this.#holds |= reason;
  }

  #release(reason: number): void {
    if ((this.#holds & reason) === 0) return;
    this.#holds &= ~reason;
    if (this.#holds !== 0 || this.#state !== "open") return;
    this.#socket.resume();
    const wasGathering = this.#writer.gathering;
    this.#writer.gathering = true;
    try {
      this.#parser.resume();
    } catch (error) {
      this.#refuseProtocol(error);
    }
    this.#writer.gathering = wasGathering;
    if (!wasGathering) this.#flush();
  }
}

function abandonAll(first: Exchange | null, why: string): void {
  for (let exchange = first; exchange !== null; exchange = exchange.next) {
    exchange.held?.resolve();
    exchange.abandon(new DOMException(why, "AbortError"));
  }
}
