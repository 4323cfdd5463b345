import type { Socket } from "node:net";
import { ProtocolError } from "../core/errors.ts";
import { RequestParser, type ParserSink } from "../http1/parser.ts";
import { own, type SocketOwner } from "../net/socket-owner.ts";
import { Expiring } from "../net/timer-wheel.ts";
import { AnswerWriter, type SlowClientWatcher } from "./answer-writer.ts";
import { BodyIntake } from "./body-intake.ts";
import type { Edge } from "./edge.ts";
import { Exchange, type AnswerOwner } from "./exchange.ts";
import { ExchangeLine } from "./exchange-line.ts";
import { hold, ReadGate } from "./read-gate.ts";

/**
 * `open`: requests are read and answered. `ending`: only answered, no more are read.
 * `lingering`: our side is closed, and what the client still sends is dropped so that it can read
 * its answer. `closed`: gone.
 */
type State = "open" | "ending" | "lingering" | "closed";

/** One HTTP/1.1 connection's life: bytes → requests → edge → answers, in order → bytes. */
export class Connection
  extends Expiring
  implements SocketOwner, ParserSink, AnswerOwner, SlowClientWatcher
{
  readonly #socket: Socket;
  readonly #edge: Edge;
  readonly #parser: RequestParser;
  readonly #writer: AnswerWriter;
  /** Address of the client; empty on a Unix socket. */
  readonly #ip: string;
  /** Made for the first body. */
  #intake: BodyIntake | null = null;
  #state: State = "open";
  /** Answers go out in its order. */
  readonly #line = new ExchangeLine();
  readonly #gate: ReadGate;
  /** What to know when the time is up: was anything answered, who stopped, what lies unsent. */
  #served = false;
  #clientEnded = false;
  #streamed = false;
  #unsentSeen = 0;

  constructor(socket: Socket, edge: Edge) {
    super();
    this.#socket = socket;
    this.#edge = edge;
    this.#parser = new RequestParser(this, edge.parserLimits);
    this.#writer = new AnswerWriter(socket, edge, this);
    this.#gate = new ReadGate(socket, this.#parser);
    this.#ip = socket.remoteAddress ?? "";
    this.expiresAtMs = edge.wheel.nowMs + edge.limits.firstByteTimeoutMs;
    edge.wheel.add(this);
    own(socket, this);
  }

  /** Ends the connection if it is idle; else its last answer will. */
  finish(): void {
    if (this.#state === "open" && this.#line.first === null && !this.#parser.midMessage) {
      this.#endOurSide();
    }
  }

  /** Cuts the connection. */
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
    this.#writer.flush();
    if (this.#parser.midHead && !wasMidHead) this.#expireIn(this.#edge.limits.headTimeoutMs);
  }

  head(parser: RequestParser): void {
    const edge = this.#edge;
    const { method, target, headers, expectContinue } = parser;
    const exchange = new Exchange(this, edge, method, target, headers, this.#ip);
    exchange.oldProtocol = parser.versionMinor === 0;
    // Refused without its body being asked for, a client may send it or not: what follows can't be
    // told apart.
    exchange.close = !parser.keepAlive || expectContinue;
    this.#append(exchange);
    const route = edge.route(exchange, parser.path);
    if (route !== null) exchange.close = !parser.keepAlive;
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
    if (verdict === "wait") this.#gate.hold(hold.bodyFull);
    else if (verdict === "stop") this.#stopReading();
  }

  end(): void {
    if (this.#receiving !== null) {
      this.#intake?.complete();
      this.#expireIn(this.#edge.limits.keepAliveTimeoutMs);
    }
    if (this.#line.last?.close === true) this.#stopReading();
  }

  /** The request whose body is being read. */
  get #receiving(): Exchange | null {
    return this.#intake?.exchange ?? null;
  }

  /** RFC 9110 §10.1.1: the body is wanted; said once the answers before it are out. */
  #sayContinue(): void {
    const intake = this.#intake;
    if (intake?.owesContinue !== true) return;
    if (this.#line.first !== intake.exchange || this.#line.first?.open !== true) return;
    intake.owesContinue = false;
    this.#writer.sayContinue();
  }

  // ── Answers out ───────────────────────────────────────────────────────────────────────────────

  answered(exchange: Exchange): void {
    if (exchange === this.#receiving) this.#answeredEarly(exchange);
    if (exchange === this.#line.first) this.#advance();
  }

  started(exchange: Exchange): void {
    if (exchange === this.#line.first) this.#start(exchange);
  }

  wrote(exchange: Exchange, chunk: Uint8Array): Promise<void> | undefined {
    // Not its turn yet: what was made so far is kept, and more is only made once it is (#start).
    if (exchange !== this.#line.first) {
      exchange.held ??= { chunks: [], ...Promise.withResolvers<void>() };
      exchange.held.chunks.push(chunk);
      return exchange.held.promise;
    }
    this.#sendChunk(exchange, chunk);
    return this.#writer.roomForMore();
  }

  ended(exchange: Exchange): void {
    if (exchange === this.#receiving) this.#answeredEarly(exchange);
    if (exchange === this.#line.first) this.#advance();
  }

  failed(exchange: Exchange): void {
    if (exchange === this.#line.first) this.#cut(exchange);
  }

  bodyRoom(exchange: Exchange): void {
    if (exchange !== this.#receiving) return;
    // The client was held back by us: its time starts anew.
    this.#expireIn(this.#edge.limits.bodyTimeoutMs);
    this.#release(hold.bodyFull);
  }

  #answeredEarly(exchange: Exchange): void {
    this.#intake?.answeredEarly(exchange);
    this.#release(hold.bodyFull);
  }

  /** Sends all that is complete at the front of the line. */
  #advance(): void {
    const wasFull = this.#line.size >= this.#edge.limits.pipelinedMax;
    for (;;) {
      const exchange = this.#line.first;
      if (exchange === null) break;
      if (exchange.state === "answered") this.#writer.whole(exchange);
      else if (exchange.state !== "ended") break;
      else if (!this.#writer.end(exchange)) return this.#cut(exchange);
      this.#line.shift();
      this.#served = true;
      if (exchange.close) return this.#endAfterAnswer();
      this.#comeToFront();
    }
    if (this.#line.first === null) {
      if (!this.#parser.midMessage) this.#expireIn(this.#edge.limits.keepAliveTimeoutMs);
      if (!this.#writer.gathering) this.#writer.flush();
      if (this.#edge.draining) this.finish();
    } else if (!this.#writer.gathering) {
      this.#writer.flushSoon();
    }
    if (wasFull) this.#release(hold.pipelineFull);
  }

  /** The exchange that has come to the front may have begun before its turn. */
  #comeToFront(): void {
    const exchange = this.#line.first;
    if (exchange === null) return;
    if (exchange.state === "streaming" || exchange.state === "ended") this.#start(exchange);
    else if (exchange.state === "failed") this.#cut(exchange);
    else this.#sayContinue();
  }

  #start(exchange: Exchange): void {
    this.#writer.start(exchange);
    if (exchange.method === "HEAD") {
      if (exchange === this.#receiving) this.#answeredEarly(exchange);
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
    this.#streamed = true;
    if (!this.#writer.chunk(exchange, chunk)) this.#cut(exchange);
  }

  /** What is kept for a client that is behind is bounded, in bytes here and in time by #isStuck. */
  clientBehind(): void {
    if (this.#unsentSeen === 0) {
      this.#unsentSeen = this.#writer.unsentBytes;
      this.#expireIn(this.#edge.limits.sendTimeoutMs);
    }
    if (this.#writer.unsentBytes > this.#edge.limits.unsentBytesMax) this.#gate.hold(hold.unsent);
  }

  // ── Ends ──────────────────────────────────────────────────────────────────────────────────────

  #refuseProtocol(error: unknown): void {
    if (!(error instanceof ProtocolError)) {
      this.#edge.fault(error);
      return this.destroy();
    }
    const broken = this.#receiving;
    if (broken === null) {
      const refused = new Exchange(this, this.#edge, "GET", "/", "", this.#ip);
      this.#append(refused);
      this.#refuseAndEnd(refused, error);
    } else if (broken.state === "waiting") {
      this.#refuseAndEnd(broken, error);
      broken.abandon(error);
    } else if (broken.state === "streaming") {
      this.#cut(broken);
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

  /** Ends the connection in the middle of an answer, so that it can't be taken for whole. */
  #cut(exchange: Exchange): void {
    this.#line.abandon("The answer broke off");
    // Where only the end of the connection ends the body, a proper end would look complete.
    if (exchange.oldProtocol && exchange.answerLength < 0) {
      this.#socket.resetAndDestroy();
      return;
    }
    this.#writer.flush();
    this.#endOurSide();
  }

  /** Nothing more is read; what was accepted is still answered. */
  #stopReading(): void {
    this.#parser.stop();
    this.#intake?.forget();
    if (this.#state === "open") this.#state = "ending";
    if (this.#line.last === null) this.#endOurSide();
    else this.#line.last.close = true;
  }

  #endAfterAnswer(): void {
    this.#line.abandon("The connection closes");
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
    const { sendTimeoutMs, lingerTimeoutMs } = this.#edge.limits;
    this.#expireIn(this.#writer.unsentBytes > 0 ? sendTimeoutMs : lingerTimeoutMs);
  }

  finished(): void {
    this.#unsentSeen = 0;
    this.#expireIn(this.#edge.limits.lingerTimeoutMs);
  }

  /**
   * The client closed its side. It may be gone, or wait for what it asked for: nothing
   *   tells the two apart before bytes are sent to it. So it gets what is answered soon, and counts
   *   as gone after that.
   */
  clientEnded(): void {
    if (this.#state === "lingering" || this.#state === "closed") return;
    this.#clientEnded = true;
    // What it sent may still wait to be read, behind answers it has not got yet.
    if (!this.#parser.paused) this.#finishAfterClient();
    this.#expireIn(this.#edge.limits.halfClosedTimeoutMs);
  }

  #finishAfterClient(): void {
    if (this.#receiving !== null || this.#parser.midMessage) return this.destroy();
    this.#stopReading();
  }

  drained(): void {
    this.#unsentSeen = 0;
    this.#writer.drained();
    if (this.#line.first === null) this.#expireIn(this.#edge.limits.keepAliveTimeoutMs);
    this.#release(hold.unsent);
  }

  closed(): void {
    this.#state = "closed";
    this.#parser.stop();
    this.#intake?.forget();
    this.#edge.wheel.remove(this);
    this.#writer.drained();
    this.#line.abandon("The client is gone");
    this.#edge.connectionClosed(this);
  }

  onExpired(): void {
    const { limits } = this.#edge;
    const unsent = this.#writer.unsentBytes;
    if (unsent > 0 && this.#state !== "closed") {
      if (this.#unsentSeen > 0 && unsent >= this.#unsentSeen) return this.destroy();
      this.#unsentSeen = unsent;
      return this.#expireIn(limits.sendTimeoutMs);
    }
    if (this.#state === "lingering" || this.#state === "closed") return this.destroy();
    this.#unsentSeen = 0;
    if (this.#clientEnded && this.#line.first !== null) {
      // A client that is gone shows when something is sent to it: a stream has to send.
      if (this.#line.first.state !== "streaming" || !this.#streamed) return this.destroy();
      this.#streamed = false;
      return this.#expireIn(limits.halfClosedTimeoutMs);
    }
    if (this.#gate.open && this.#parser.midMessage && this.#state === "open") {
      const message = "The request did not arrive in time";
      return this.#refuseProtocol(new ProtocolError(408, "REQUEST_TIMEOUT", message));
    }
    if (this.#line.first !== null || !this.#gate.open) {
      return this.#expireIn(limits.keepAliveTimeoutMs);
    }
    if (this.#served) this.#endOurSide();
    else this.destroy();
  }

  #expireIn(ms: number): void {
    this.#edge.wheel.set(this, this.#edge.wheel.nowMs + ms);
  }

  #append(exchange: Exchange): void {
    this.#line.append(exchange);
    if (this.#line.size >= this.#edge.limits.pipelinedMax) this.#gate.hold(hold.pipelineFull);
  }

  #release(reason: number): void {
    if (!this.#gate.release(reason) || this.#state !== "open") return;
    this.#socket.resume();
    const wasGathering = this.#writer.gathering;
    this.#writer.gathering = true;
    try {
      this.#parser.resume();
    } catch (error) {
      this.#refuseProtocol(error);
    }
    this.#writer.gathering = wasGathering;
    if (!wasGathering) this.#writer.flush();
    if (this.#clientEnded && !this.#parser.paused) this.#finishAfterClient();
  }
}
