import { BodyChannel } from "../core/body-channel.ts";
import { creditBytes } from "../core/bounds.ts";
import type { Request } from "../core/request.ts";
import type { Responder } from "../core/responder.ts";
import type { Outbox } from "./outbox.ts";

/** What a worker is at, by slot. */
export type RunningRequests = (WorkerExchange | undefined)[];

/**
 * One request on its worker: its answer goes into the batch for the edge, a streamed body against
 * credit.
 */
export class WorkerExchange implements Responder {
  readonly #outbox: Outbox;
  readonly #running: RunningRequests;
  readonly #slot: number;
  #state: "waiting" | "streaming" | "done" = "waiting";
  #cancelled = false;
  #credit = creditBytes;
  #unreported = 0;
  #room: { promise: Promise<void>; resolve: () => void } | undefined;
  /** The request this answers, for the signal it carries. Set before its handler runs. */
  request: Request | undefined;
  /** The request's body, when it streams. */
  body: BodyChannel | undefined;

  constructor(outbox: Outbox, running: RunningRequests, slot: number) {
    this.#outbox = outbox;
    this.#running = running;
    this.#slot = slot;
  }

  get open(): boolean {
    return !this.#cancelled && this.#state !== "done";
  }

  answer(status: number, headerText: string, body: string): void {
    this.#finish();
    this.#outbox.answer(this.#slot, status, headerText, body);
  }

  start(status: number, headerText: string, length: number): void {
    this.#state = "streaming";
    this.#outbox.start(this.#slot, status, headerText, length);
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    if (!this.open) return undefined;
    this.#outbox.chunk(this.#slot, chunk);
    this.#credit -= chunk.byteLength;
    if (this.#credit > 0) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  end(): void {
    this.#finish();
    this.#outbox.end(this.#slot);
  }

  fail(): void {
    this.#finish();
    this.#outbox.fail(this.#slot);
  }

  /**
   * Opens the channel of a body that streams. Reading it gives the edge credit, half a window at a
   * time.
   */
  openBody(): BodyChannel {
    return (this.body = new BodyChannel((bytes) => this.#onBodyRead(bytes)));
  }

  /** The edge took `bytes` of the answer. */
  addCredit(bytes: number): void {
    this.#credit += bytes;
    if (this.#credit > 0) this.#makeRoom();
  }

  /** Nobody waits for the answer any more. */
  cancel(reason: Error): void {
    this.#cancelled = true;
    this.body?.fail(reason);
    this.#makeRoom();
    this.request?.abort(reason);
  }

  #onBodyRead(bytes: number): void {
    this.#unreported += bytes;
    if (this.#unreported < creditBytes / 2 || this.#state === "done") return;
    this.#outbox.credit(this.#slot, this.#unreported);
    this.#unreported = 0;
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  #finish(): void {
    this.#state = "done";
    this.#running[this.#slot] = undefined;
  }
}
