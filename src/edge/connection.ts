import type { Socket } from "node:net";
import { connectionClose } from "../core/answer.ts";
import { wholeBytesMax } from "../core/bounds.ts";
import { ProtocolError } from "../core/errors.ts";
import { chunkEnd, chunkHead, lastChunk, textChunk } from "../http1/chunk-text.ts";
import { latin1Text } from "../http1/octets.ts";
import { RequestParser, type ParserSink } from "../http1/parser.ts";
import type { Expiring } from "../net/timer-wheel.ts";
import type { Edge } from "./edge.ts";
import { Exchange, type AnswerOwner } from "./exchange.ts";
import type { RouteTarget } from "./route-table.ts";

/** Why nothing is read from the client just now; bits of `#holds`. */
const hold = { pipelineFull: 1, unsent: 2, bodyFull: 4 } as const;

/** Bytes of an unwanted body that are read and dropped to keep the connection; beyond, it closes instead. */
const discardedBytesMax = 262_144;

/** Chunks up to this size are sent in one string with their framing; larger ones are not copied again. */
const smallChunkBytes = 8_192;

type BodyMode = "none" | "collecting" | "streaming" | "discarding";

/**
 * - `open`: requests are read and answered
 * - `ending`: no request is read any more; what was accepted is answered, then the connection ends
 * - `lingering`: our side is closed; what the client still sends is dropped, so that it can read its answer
 * - `closed`: gone
 */
type State = "open" | "ending" | "lingering" | "closed";

/** The sockets' listeners find their connection here: no closure is made for a connection. */
const ownerOf = Symbol("connection");
type OwnedSocket = Socket & { [ownerOf]?: Connection };

/** One HTTP/1.1 connection's life: bytes → requests → edge → answers, in order → bytes. */
export class Connection implements ParserSink, AnswerOwner, Expiring {
  readonly #socket: Socket;
  readonly #edge: Edge;
  readonly #parser: RequestParser;
  #state: State = "open";
  /** Requests read and not yet wholly answered, oldest first: answers go out in this order. */
  #first: Exchange | null = null;
  #last: Exchange | null = null;
  #pending = 0;
  #served = 0;
  #clientEnded = false;
  /** Text to send, gathered while more may follow in this turn. */
  #out = "";
  #gathering = false;
  #flushScheduled = false;
  #holds = 0;
  /** The request whose body is being read, and what becomes of it. */
  #receiving: Exchange | null = null;
  #receivingFor: RouteTarget | null = null;
  #bodyMode: BodyMode = "none";
  #bodyText = "";
  #bodyBytes = 0;
  #owesContinue = false;
  /** Bytes of the streamed answer that are still to come, or −1 when that isn't known. */
  #answerBytesLeft = -1;
  #drained: { promise: Promise<void>; resolve: () => void } | null = null;
  #unsentSeen = 0;

  expiresAtMs: number;
  wheelDueMs = 0;
  wheelPrevious: Expiring | null = null;
  wheelNext: Expiring | null = null;
  wheelSlot = -1;

  constructor(socket: Socket, edge: Edge) {
    this.#socket = socket;
    this.#edge = edge;
    this.#parser = new RequestParser(this, edge.parserLimits);
    this.expiresAtMs = edge.wheel.nowMs + edge.limits.firstByteTimeoutMs;
    edge.wheel.add(this);
    (socket as OwnedSocket)[ownerOf] = this;
    socket.on("data", onData);
    socket.on("end", onEnd);
    socket.on("drain", onDrain);
    socket.on("error", onError);
    socket.on("close", onClose);
  }

  /** Nothing is being read or answered. */
  get idle(): boolean {
    return this.#state === "open" && this.#first === null && !this.#parser.midMessage;
  }

  /** Ends the connection once everything accepted is answered; at once when it is idle. */
  finish(): void {
    if (this.idle) this.#endOurSide();
  }

  /** Cuts the connection now. */
  destroy(): void {
    this.#socket.destroy();
  }

  // ── Bytes in ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** @internal */
  receive(chunk: Buffer): void {
    if (this.#state !== "open") return;
    const wasMidHead = this.#parser.midHead;
    this.#gathering = true;
    try {
      this.#parser.push(chunk);
    } catch (error) {
      this.#refuseProtocol(error);
    }
    this.#gathering = false;
    this.#flush();
    if (this.#parser.midHead && !wasMidHead) this.#expireIn(this.#edge.limits.headTimeoutMs);
  }

  head(parser: RequestParser): void {
    const { method, target, headers } = parser;
    const exchange = new Exchange(
      this,
      this.#edge,
      method,
      target,
      headers,
      this.#edge.ipOf(this.#socket),
    );
    exchange.oldProtocol = parser.versionMinor === 0;
    exchange.close = !parser.keepAlive;
    this.#append(exchange);
    const route = this.#edge.route(exchange, parser.path);
    if (parser.hasBody) this.#beginBody(parser, exchange, route);
    else if (route !== null) this.#edge.dispatch(exchange, route);
  }

  body(buffer: Buffer, start: number, end: number): void {
    const exchange = this.#receiving as Exchange;
    this.#owesContinue = false;
    this.#bodyBytes += end - start;
    this.#expireIn(this.#edge.limits.bodyTimeoutMs);
    if (!exchange.open) this.#bodyMode = "discarding";
    if (this.#bodyMode === "discarding") {
      if (this.#bodyBytes > discardedBytesMax) this.#stopReading();
      return;
    }
    if (this.#bodyBytes > exchange.bodyBytesMax) return this.#refuseBody(exchange);
    if (this.#bodyMode === "collecting") {
      if (this.#bodyBytes <= wholeBytesMax) {
        this.#bodyText += latin1Text(buffer, start, end);
        return;
      }
      this.#beginStreaming(exchange);
    }
    if (!exchange.addBody(buffer.subarray(start, end))) this.#hold(hold.bodyFull);
  }

  end(): void {
    const exchange = this.#receiving;
    if (exchange !== null) {
      this.#receiving = null;
      this.#owesContinue = false;
      if (exchange.open) this.#completeBody(exchange);
      this.#bodyMode = "none";
      this.#bodyText = "";
      this.#expireIn(this.#edge.limits.keepAliveTimeoutMs);
    }
    if (this.#last?.close === true) this.#stopReading();
  }

  #beginBody(parser: RequestParser, exchange: Exchange, route: RouteTarget | null): void {
    this.#receiving = exchange;
    this.#receivingFor = route;
    this.#bodyBytes = 0;
    this.#bodyText = "";
    this.#owesContinue = parser.expectContinue;
    this.#expireIn(this.#edge.limits.bodyTimeoutMs);
    if (route === null) {
      this.#bodyMode = "discarding";
      return;
    }
    if (parser.contentLength > exchange.bodyBytesMax) return this.#refuseBody(exchange);
    this.#bodyMode = "collecting";
    if (parser.contentLength > wholeBytesMax) this.#beginStreaming(exchange);
    this.#sendContinue();
  }

  #beginStreaming(exchange: Exchange): void {
    this.#bodyMode = "streaming";
    exchange.streamBody();
    if (this.#bodyText !== "") exchange.addBody(Buffer.from(this.#bodyText, "latin1"));
    this.#bodyText = "";
    this.#edge.dispatch(exchange, this.#receivingFor as RouteTarget);
  }

  #completeBody(exchange: Exchange): void {
    if (this.#bodyMode === "streaming") {
      exchange.completeBody();
    } else if (this.#bodyMode === "collecting") {
      exchange.wholeBody = this.#bodyText;
      this.#edge.dispatch(exchange, this.#receivingFor as RouteTarget);
    }
  }

  #refuseBody(exchange: Exchange): void {
    this.#bodyMode = "discarding";
    exchange.close = true;
    const limit = exchange.bodyBytesMax;
    this.#edge.refuse(
      exchange,
      413,
      `The request body is larger than the ${limit} bytes accepted here`,
    );
  }

  /** RFC 9110 §10.1.1: says that the body is wanted, once the answers before it are out. */
  #sendContinue(): void {
    if (!this.#owesContinue || this.#first !== this.#receiving || !this.#first?.open) return;
    this.#owesContinue = false;
    this.#out += this.#edge.serializer.interim(100);
    if (!this.#gathering) this.#flush();
  }

  // ── Answers out ───────────────────────────────────────────────────────────────────────────────────────────────

  answered(exchange: Exchange): void {
    if (exchange === this.#receiving) this.#answeredEarly(exchange);
    if (exchange === this.#first) this.#advance();
  }

  started(exchange: Exchange): void {
    if (exchange === this.#first) this.#sendStart(exchange);
  }

  wrote(exchange: Exchange, chunk: Uint8Array): Promise<void> | undefined {
    // Not its turn yet: what was made so far is kept, and more is only made once it is (#sendStart).
    if (exchange !== this.#first) {
      exchange.held ??= { chunks: [], ...Promise.withResolvers<void>() };
      exchange.held.chunks.push(chunk);
      return exchange.held.promise;
    }
    this.#sendChunk(exchange, chunk);
    if (!this.#socket.writableNeedDrain) return undefined;
    this.#drained ??= Promise.withResolvers<void>();
    return this.#drained.promise;
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

  /** Sends all that is complete at the front of the line. */
  #advance(): void {
    const wasFull = this.#pending >= this.#edge.limits.pipelinedMax;
    for (;;) {
      const exchange = this.#first;
      if (exchange === null) break;
      if (exchange.state === "answered") this.#out += this.#composeWhole(exchange);
      else if (exchange.state === "ended") this.#sendEnd(exchange);
      else break;
      if (this.#state === "closed") return;
      this.#first = exchange.next;
      this.#pending -= 1;
      this.#served += 1;
      if (exchange.close) return this.#endAfterAnswer();
      this.#startNext();
    }
    if (this.#first === null) {
      this.#last = null;
      if (!this.#parser.midMessage) this.#expireIn(this.#edge.limits.keepAliveTimeoutMs);
      if (!this.#gathering) this.#flush();
    } else if (!this.#gathering) {
      // Others of this connection are likely to be answered in the same batch: one write for all of them.
      this.#flushSoon();
    }
    if (wasFull) this.#release(hold.pipelineFull);
  }

  /** The exchange that has come to the front may have begun before its turn. */
  #startNext(): void {
    const exchange = this.#first;
    if (exchange === null) return;
    if (exchange.state === "streaming" || exchange.state === "ended") this.#sendStart(exchange);
    else if (exchange.state === "failed") this.destroy();
    else this.#sendContinue();
  }

  /** Decides whether the connection closes after this answer; the application may have asked for it. */
  #settleClose(exchange: Exchange): void {
    if (this.#edge.draining) exchange.close = true;
    if (!exchange.answerHeaderText.startsWith(connectionClose)) return;
    exchange.answerHeaderText = exchange.answerHeaderText.slice(connectionClose.length);
    exchange.close = true;
  }

  #composeWhole(exchange: Exchange): string {
    this.#settleClose(exchange);
    const { status, answerHeaderText, answerBody, close } = exchange;
    const head = this.#edge.serializer.head(
      status,
      answerHeaderText,
      answerBody.length,
      !close,
      exchange.oldProtocol,
    );
    return exchange.method === "HEAD" ? head : head + answerBody;
  }

  #sendStart(exchange: Exchange): void {
    this.#settleClose(exchange);
    const { status, answerHeaderText, answerLength, oldProtocol } = exchange;
    // RFC 9112 §6.3: an HTTP/1.0 client knows no chunks, so the end of the connection ends a body of unknown length.
    if (oldProtocol && answerLength < 0) exchange.close = true;
    this.#answerBytesLeft = answerLength;
    this.#out += this.#edge.serializer.head(
      status,
      answerHeaderText,
      answerLength,
      !exchange.close,
      oldProtocol,
    );
    if (exchange.method === "HEAD") {
      exchange.abandon(new DOMException("A HEAD request has no body", "AbortError"));
      exchange.state = "ended";
      return this.#advance();
    }
    this.#flush();
    const held = exchange.held;
    if (held === null) return;
    exchange.held = null;
    for (const chunk of held.chunks) this.#sendChunk(exchange, chunk);
    held.resolve();
  }

  #sendChunk(exchange: Exchange, chunk: Uint8Array): void {
    const { byteLength } = chunk;
    if (byteLength === 0 || this.#state === "closed") return;
    const socket = this.#socket;
    if (this.#answerBytesLeft >= 0) {
      this.#answerBytesLeft -= byteLength;
      // More than announced would be read as the next answer.
      if (this.#answerBytesLeft < 0) return this.destroy();
      socket.write(chunk);
    } else if (exchange.oldProtocol) {
      socket.write(chunk);
    } else if (byteLength <= smallChunkBytes) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, byteLength);
      socket.write(textChunk(latin1Text(bytes, 0, byteLength)), "latin1");
    } else {
      socket.cork();
      socket.write(chunkHead(byteLength), "latin1");
      socket.write(chunk);
      socket.write(chunkEnd, "latin1");
      socket.uncork();
    }
    this.#watchUnsent();
  }

  #sendEnd(exchange: Exchange): void {
    // Less than announced: the client must not take the next answer for the rest.
    if (exchange.method !== "HEAD" && this.#answerBytesLeft > 0) return this.destroy();
    if (exchange.method !== "HEAD" && this.#answerBytesLeft < 0 && !exchange.oldProtocol)
      this.#out += lastChunk;
    this.#answerBytesLeft = -1;
  }

  #flush(): void {
    if (this.#out === "" || this.#state === "closed") return;
    const text = this.#out;
    this.#out = "";
    if (!this.#socket.write(text, "latin1")) this.#watchUnsent();
  }

  #flushSoon(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    process.nextTick(flushScheduled, this);
  }

  /** @internal */
  flushScheduled(): void {
    this.#flushScheduled = false;
    this.#flush();
  }

  /** The client is behind: bound what is kept for it, in bytes and in time. */
  #watchUnsent(): void {
    const unsent = this.#socket.writableLength;
    if (unsent === 0) return;
    if (this.#unsentSeen === 0) {
      this.#unsentSeen = unsent;
      this.#expireIn(this.#edge.limits.sendTimeoutMs);
    }
    if (unsent > this.#edge.limits.unsentBytesMax) this.#hold(hold.unsent);
  }

  // ── Ends ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Its body is of no use any more. */
  #answeredEarly(exchange: Exchange): void {
    this.#bodyMode = "discarding";
    this.#bodyText = "";
    this.#bodyBytes = 0;
    // The client may or may not send the body it announced, so what follows can't be told apart.
    if (this.#owesContinue) exchange.close = true;
    this.#release(hold.bodyFull);
  }

  #refuseProtocol(error: unknown): void {
    if (!(error instanceof ProtocolError)) throw error;
    const broken = this.#receiving;
    this.#receiving = null;
    if (broken === null) {
      const refused = new Exchange(this, this.#edge, "GET", "/", "", this.#edge.ipOf(this.#socket));
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
    exchange.close = true;
    this.#edge.refuse(exchange, error.status, error.message);
  }

  /** Nothing more is read; what was accepted is still answered. */
  #stopReading(): void {
    this.#parser.stop();
    this.#receiving = null;
    if (this.#state === "open") this.#state = "ending";
    if (this.#last === null) this.#endOurSide();
    else this.#last.close = true;
  }

  #endAfterAnswer(): void {
    const after = this.#first;
    this.#first = null;
    this.#last = null;
    for (let exchange = after; exchange !== null; exchange = exchange.next) {
      exchange.abandon(new DOMException("The connection closes", "AbortError"));
    }
    this.#flush();
    this.#endOurSide();
  }

  /** Closes our side and waits a moment for the client's: closing at once could destroy the answer it still reads. */
  #endOurSide(): void {
    if (this.#state === "closed" || this.#state === "lingering") return;
    this.#state = "lingering";
    this.#parser.stop();
    this.#receiving = null;
    this.#socket.end();
    this.#socket.resume();
    this.#expireIn(this.#edge.limits.lingerTimeoutMs);
  }

  /**
   * @internal The client closed its side. It may be gone, or wait for what it asked for: nothing tells the two apart
   * before bytes are sent to it. So it gets what is answered soon, and counts as gone after that.
   */
  clientEnded(): void {
    if (this.#state === "lingering" || this.#state === "closed") return;
    if (this.#receiving !== null || this.#parser.midMessage) return this.destroy();
    this.#clientEnded = true;
    this.#stopReading();
    if (this.#last !== null) this.#expireIn(this.#edge.limits.halfClosedTimeoutMs);
  }

  /** @internal */
  drained(): void {
    this.#unsentSeen = 0;
    this.#drained?.resolve();
    this.#drained = null;
    if (this.#first === null) this.#expireIn(this.#edge.limits.keepAliveTimeoutMs);
    this.#release(hold.unsent);
  }

  /** @internal */
  closed(): void {
    this.#state = "closed";
    this.#parser.stop();
    this.#receiving = null;
    this.#edge.wheel.remove(this);
    this.#drained?.resolve();
    for (let exchange = this.#first; exchange !== null; exchange = exchange.next) {
      exchange.held?.resolve();
      exchange.abandon(new DOMException("The client is gone", "AbortError"));
    }
    this.#first = null;
    this.#last = null;
    this.#edge.connectionClosed(this);
  }

  onExpired(): void {
    const { limits } = this.#edge;
    if (this.#state === "lingering" || this.#state === "closed") return this.destroy();
    const unsent = this.#socket.writableLength;
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
    if (this.#holds === 0 && this.#parser.midMessage && this.#state === "open")
      return this.#refuseSlow();
    if (this.#first !== null || this.#holds !== 0) return this.#expireIn(limits.keepAliveTimeoutMs);
    if (this.#served === 0) this.destroy();
    else this.#endOurSide();
  }

  /** RFC 9110 §15.5.9 */
  #refuseSlow(): void {
    this.#refuseProtocol(
      new ProtocolError(408, "REQUEST_TIMEOUT", "The request did not arrive in time"),
    );
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
    const wasGathering = this.#gathering;
    this.#gathering = true;
    try {
      this.#parser.resume();
    } catch (error) {
      this.#refuseProtocol(error);
    }
    this.#gathering = wasGathering;
    if (!wasGathering) this.#flush();
  }
}

function onData(this: OwnedSocket, chunk: Buffer): void {
  this[ownerOf]?.receive(chunk);
}

function onEnd(this: OwnedSocket): void {
  this[ownerOf]?.clientEnded();
}

function onDrain(this: OwnedSocket): void {
  this[ownerOf]?.drained();
}

function onError(): void {
  // A reset, or a write after the client went: "close" follows and does what is to be done.
}

function onClose(this: OwnedSocket): void {
  this[ownerOf]?.closed();
}

function flushScheduled(connection: Connection): void {
  connection.flushScheduled();
}
