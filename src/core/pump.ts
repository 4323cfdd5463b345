import type { Answer, AnswerSource } from "./answer.ts";
import { wholeBytesMax } from "./bounds.ts";
import { MillraceError } from "./errors.ts";
import { isReadableStream } from "./result-kind.ts";
import type { Request } from "./request.ts";
import type { Responder } from "./responder.ts";

/** Told of an error that the developer must see and no client may. Must not throw. */
export type ReportError = (error: unknown, request: Request) => void;

/** What a pump works for. */
export interface PumpContext {
  readonly request: Request;
  readonly responder: Responder;
  readonly report: ReportError;
}

/**
 * Sends an answer whose body comes from a source, as fast as its reader takes it. It stops, and
 * stops the source, when nobody waits for the answer any more, even while the source is thinking.
 * Throws only before anything is sent.
 */
export function pumpAnswer(context: PumpContext, answer: Answer, source: AnswerSource): void {
  const reader = openSource(source);
  context.responder.start(answer.status, answer.headerText, answer.length);
  const pump = new Pump(context, reader, answer.length);
  if (context.request.aborted) pump.handleEvent();
  else void pump.flow();
}

/** Lets a source go that is not, or no longer, to be read. */
export function discardSource(source: AnswerSource, context: PumpContext): void {
  if (ArrayBuffer.isView(source)) return;
  try {
    stopReader(openSource(source), context);
  } catch (error) {
    context.report(error, context.request);
  }
}

/** Items one after another, and a way to say that no more are wanted. */
interface SourceReader {
  next(): Promise<IteratorResult<unknown>> | IteratorResult<unknown>;
  stop(): unknown;
}

/** One body on its way. */
class Pump {
  readonly #context: PumpContext;
  readonly #reader: SourceReader;
  /** Bytes announced and not sent yet; −1 when none were announced. */
  #owed: number;
  #state: "flowing" | "finished" = "flowing";

  constructor(context: PumpContext, reader: SourceReader, length: number) {
    this.#context = context;
    this.#reader = reader;
    this.#owed = length;
  }

  /** The request was aborted: ends the answer at once, whatever the source is waiting for. */
  handleEvent(): void {
    this.#breakOff(new DOMException("Nobody waits for the answer", "AbortError"));
  }

  async flow(): Promise<void> {
    const { request, responder, report } = this.#context;
    // An object as listener: neither closure nor promise that would grow with a long stream.
    request.signal.addEventListener("abort", this, { once: true });
    try {
      for (;;) {
        const item = await this.#reader.next();
        if (this.#isFinished()) return;
        if (item.done === true) break;
        await this.#write(toBytes(item.value));
        if (this.#isFinished()) return;
      }
      if (this.#owed > 0) throw wrongLength();
      this.#finish();
      responder.end();
    } catch (error) {
      // What a source throws because it was stopped concerns nobody.
      if (this.#isFinished()) return;
      this.#breakOff(error);
      report(error, request);
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const { responder } = this.#context;
    if (this.#owed !== -1) {
      if (bytes.byteLength > this.#owed) throw wrongLength();
      this.#owed -= bytes.byteLength;
    }
    for (let at = 0; at < bytes.byteLength; at += wholeBytesMax) {
      const room = responder.write(bytes.subarray(at, at + wholeBytesMax));
      if (room !== undefined) await room;
      if (this.#isFinished()) return;
      if (!responder.open) return this.handleEvent();
    }
  }

  #breakOff(error: unknown): void {
    this.#finish();
    this.#context.responder.fail(error);
    stopReader(this.#reader, this.#context);
  }

  #finish(): void {
    this.#state = "finished";
    this.#context.request.signal.removeEventListener("abort", this);
  }

  /** A method, because what the compiler knows of the state doesn't outlast an await. */
  #isFinished(): boolean {
    return this.#state === "finished";
  }
}

function stopReader(reader: SourceReader, { report, request }: PumpContext): void {
  const onError = (error: unknown): void => {
    if (!(error instanceof Error && error.name === "AbortError")) report(error, request);
  };
  try {
    Promise.resolve(reader.stop()).catch(onError);
  } catch (error) {
    onError(error);
  }
}

function openSource(source: AnswerSource): SourceReader {
  if (ArrayBuffer.isView(source)) return readOnce(source);
  if (isReadableStream(source)) {
    const reader = source.getReader();
    // A stream that is already broken rejects here too; its reader was told.
    return { next: () => reader.read(), stop: () => reader.cancel().catch(() => undefined) };
  }
  const iterator: AsyncIterator<unknown> | Iterator<unknown> =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  return { next: () => iterator.next(), stop: () => stopIterable(source, iterator) };
}

/**
 * A Node stream is destroyed: returning from an iterator that was never begun would leave it open.
 */
function stopIterable(
  source: object,
  iterator: AsyncIterator<unknown> | Iterator<unknown>,
): unknown {
  if ("destroy" in source && typeof source.destroy === "function") {
    (source as { destroy(): void }).destroy();
    return undefined;
  }
  return iterator.return?.();
}

function readOnce(bytes: Uint8Array): SourceReader {
  let rest: Uint8Array | undefined = bytes;
  return {
    next: () => {
      const value = rest;
      rest = undefined;
      return value === undefined ? { done: true, value } : { done: false, value };
    },
    stop: () => undefined,
  };
}

function toBytes(chunk: unknown): Uint8Array {
  if (typeof chunk === "string") return Buffer.from(chunk, "utf8");
  if (chunk instanceof Uint8Array) return chunk;
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new MillraceError("STREAM_CHUNK", `Cannot stream a ${typeof chunk}: give strings or bytes`);
}

function wrongLength(): MillraceError {
  return new MillraceError(
    "CONTENT_LENGTH",
    "The streamed body is not as long as its Content-Length says",
  );
}
