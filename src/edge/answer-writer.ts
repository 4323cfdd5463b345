import type { Socket } from "node:net";
import { connectionClose } from "../core/answer.ts";
import { chunkEnd, chunkHead, lastChunk, textChunk } from "../http1/chunk-text.ts";
import { latin1Text } from "../http1/octets.ts";
import type { Edge } from "./edge.ts";
import type { Exchange } from "./exchange.ts";

/**
 * Chunks up to this size are sent in one string with their framing; larger ones are not copied
 * again.
 */
const smallChunkBytes = 8_192;

/** Bounds what is kept for a client that reads slowly. */
export interface SlowClientWatcher {
  /** Something was written that the system has not taken yet. */
  clientBehind(): void;
}

/**
 * Writes the answers of one connection to its socket: framing, one write for all that is ready in a
 * turn, and what to do about a client that reads slowly.
 */
export class AnswerWriter {
  readonly #socket: Socket;
  readonly #edge: Edge;
  readonly #watcher: SlowClientWatcher;
  /** While set, text is gathered: more may follow in this turn, and `flush` will be called. */
  gathering = false;
  #text = "";
  #flushScheduled = false;
  /** Bytes of the streamed answer that are still to come, or −1 when that isn't known. */
  #bytesLeft = -1;
  #room: { readonly promise: Promise<void>; readonly resolve: () => void } | null = null;

  /** @param watcher is told whenever something was written that the client has not taken yet */
  constructor(socket: Socket, edge: Edge, watcher: SlowClientWatcher) {
    this.#socket = socket;
    this.#edge = edge;
    this.#watcher = watcher;
  }

  /** Bytes that the system hasn't taken yet. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  /** An answer whose body is there. */
  whole(exchange: Exchange): void {
    this.#settleClose(exchange);
    const { status, answerHeaderText, answerBody, close, oldProtocol } = exchange;
    const { serializer } = this.#edge;
    this.#text += serializer.head(status, answerHeaderText, answerBody.length, !close, oldProtocol);
    if (exchange.method !== "HEAD") this.#text += answerBody;
  }

  /** The head of an answer that streams. */
  start(exchange: Exchange): void {
    this.#settleClose(exchange);
    const { status, answerHeaderText, answerLength, oldProtocol } = exchange;
    // RFC 9112 §6.3: an HTTP/1.0 client knows no chunks, so the connection's end ends a body of
    // unknown length.
    if (oldProtocol && answerLength < 0) exchange.close = true;
    this.#bytesLeft = answerLength;
    const { serializer } = this.#edge;
    this.#text += serializer.head(
      status,
      answerHeaderText,
      answerLength,
      !exchange.close,
      oldProtocol,
    );
    if (exchange.method !== "HEAD") this.flush();
  }

  /**
   * A chunk of it. False when it is more than was announced: it would be read as the next answer.
   */
  chunk(exchange: Exchange, chunk: Uint8Array): boolean {
    const { byteLength } = chunk;
    const socket = this.#socket;
    if (byteLength === 0 || socket.destroyed) return true;
    if (this.#bytesLeft >= 0) {
      this.#bytesLeft -= byteLength;
      if (this.#bytesLeft < 0) return false;
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
    if (socket.writableLength > 0) this.#watcher.clientBehind();
    return true;
  }

  /**
   * The streamed answer is complete. False when it is less than was announced: the client must not
   * take it for whole.
   */
  end(exchange: Exchange): boolean {
    const bytesLeft = this.#bytesLeft;
    this.#bytesLeft = -1;
    if (exchange.method === "HEAD") return true;
    if (bytesLeft < 0 && !exchange.oldProtocol) this.#text += lastChunk;
    return bytesLeft <= 0;
  }

  /** RFC 9110 §15.2.1 */
  sayContinue(): void {
    this.#text += this.#edge.serializer.interim(100);
    if (!this.gathering) this.flush();
  }

  /** Sends what was gathered. */
  flush(): void {
    if (this.#text === "") return;
    const text = this.#text;
    this.#text = "";
    if (this.#socket.destroyed) return;
    if (!this.#socket.write(text, "latin1")) this.#watcher.clientBehind();
  }

  /**
   * Sends what was gathered once the callback under way is done: others may be answered in the same
   * batch.
   */
  flushSoon(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    process.nextTick(flushNow, this);
  }

  /** @internal */
  flushNow(): void {
    this.#flushScheduled = false;
    this.flush();
  }

  /** A promise while the client is behind; resolved by `drained`. */
  roomForMore(): Promise<void> | undefined {
    if (!this.#socket.writableNeedDrain) return undefined;
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  /** The client has caught up, or is gone. */
  drained(): void {
    this.#room?.resolve();
    this.#room = null;
  }

  /**
   * Decides whether the connection closes after this answer; the application may have asked for it.
   */
  #settleClose(exchange: Exchange): void {
    // What was accepted behind it is answered first.
    if (this.#edge.draining && exchange.next === null) exchange.close = true;
    if (!exchange.answerHeaderText.startsWith(connectionClose)) return;
    exchange.answerHeaderText = exchange.answerHeaderText.slice(connectionClose.length);
    exchange.close = true;
  }
}

function flushNow(writer: AnswerWriter): void {
  writer.flushNow();
}
