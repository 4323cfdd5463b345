import type { MessagePort } from "node:worker_threads";
import { ChunkedBatch, HeaderTextSender, toEdge } from "./codec.ts";

/**
 * What a worker has to tell the edge: gathered through one turn of its loop, sent in one message.
 */
export class Outbox {
  readonly #port: MessagePort;
  readonly #headerTexts = new HeaderTextSender();
  readonly #batch = new ChunkedBatch();
  #scheduled = false;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  /** A whole answer: the record that nearly every request ends with. */
  answer(slot: number, status: number, headerText: string, body: string): void {
    this.#batch.records.push(
      toEdge.answer,
      slot,
      status,
      this.#headerTexts.encode(headerText),
      body,
    );
    this.#schedule();
  }

  start(slot: number, status: number, headerText: string, length: number): void {
    this.#batch.records.push(
      toEdge.start,
      slot,
      status,
      this.#headerTexts.encode(headerText),
      length,
    );
    this.#schedule();
  }

  /** A chunk of an answer, copied. */
  chunk(slot: number, chunk: Uint8Array): void {
    this.#batch.addChunk(toEdge.chunk, slot, chunk);
    this.#schedule();
  }

  end(slot: number): void {
    this.#batch.records.push(toEdge.end, slot);
    this.#schedule();
  }

  fail(slot: number): void {
    this.#batch.records.push(toEdge.fail, slot);
    this.#schedule();
  }

  credit(slot: number, bytes: number): void {
    this.#batch.records.push(toEdge.credit, slot, bytes);
    this.#schedule();
  }

  /** A handler held the thread for `ms` at a stretch. */
  held(handlerIndex: number, ms: number): void {
    this.#batch.records.push(toEdge.held, handlerIndex, Math.round(ms * 1_000));
    this.#schedule();
  }

  /**
   * Sends now: after a handler that held the thread, say, so that those before it don't wait for
   * those behind it.
   */
  flush(): void {
    this.#scheduled = false;
    if (this.#batch.records.length === 0) return;
    this.#port.postMessage(this.#batch.records, this.#batch.transfers);
    this.#batch.clear();
  }

  /** Sends now, though it be nothing: the edge waits to hear that requests were started. */
  sayProgress(): void {
    if (this.#batch.records.length === 0) this.#port.postMessage(this.#batch.records);
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
