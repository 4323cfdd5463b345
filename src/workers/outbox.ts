import type { MessagePort } from "node:worker_threads";
import { HeaderTextSender, toEdge, type Batch } from "./codec.ts";

/**
 * What a worker has to tell the edge: gathered through one turn of its loop, sent in one message.
 */
export class Outbox {
  readonly #port: MessagePort;
  readonly #headerTexts = new HeaderTextSender();
  #batch: Batch = [];
  #transfers: ArrayBuffer[] = [];
  #scheduled = false;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  /** A whole answer: the record that nearly every request ends with. */
  answer(slot: number, status: number, headerText: string, body: string): void {
    this.#batch.push(toEdge.answer, slot, status, this.#headerTexts.encode(headerText), body);
    this.#schedule();
  }

  start(slot: number, status: number, headerText: string, length: number): void {
    this.#batch.push(toEdge.start, slot, status, this.#headerTexts.encode(headerText), length);
    this.#schedule();
  }

  /** A chunk of an answer; it moves to the edge and is empty here from then on. */
  chunk(slot: number, chunk: Uint8Array<ArrayBuffer>): void {
    this.#transfers.push(chunk.buffer);
    this.#batch.push(toEdge.chunk, slot, chunk);
    this.#schedule();
  }

  end(slot: number): void {
    this.#batch.push(toEdge.end, slot);
    this.#schedule();
  }

  fail(slot: number): void {
    this.#batch.push(toEdge.fail, slot);
    this.#schedule();
  }

  credit(slot: number, bytes: number): void {
    this.#batch.push(toEdge.credit, slot, bytes);
    this.#schedule();
  }

  /** A handler held the thread for `ms` at a stretch. */
  held(handlerIndex: number, ms: number): void {
    this.#batch.push(toEdge.held, handlerIndex, Math.round(ms * 1_000));
    this.#schedule();
  }

  /**
   * Sends now: after a handler that held the thread, say, so that those before it don't wait for
   * those behind it.
   */
  flush(): void {
    this.#scheduled = false;
    if (this.#batch.length === 0) return;
    this.#port.postMessage(this.#batch, this.#transfers);
    this.#batch = [];
    if (this.#transfers.length > 0) this.#transfers = [];
  }

  /** Sends now, though it be nothing: the edge waits to hear that requests were started. */
  sayProgress(): void {
    if (this.#batch.length === 0) this.#port.postMessage(this.#batch);
    else this.flush();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(flush, this);
  }
}

function flush(outbox: Outbox): void {
  outbox.flush();
}
