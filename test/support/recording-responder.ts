/** A responder that notes what it is given, and a way to run one handler against it. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import type { Application } from "../../src/core/application.ts";
import { wholeBytesMax } from "../../src/core/bounds.ts";
import type { Handler, HandlerResult } from "../../src/core/handler.ts";
import { errorReply } from "../../src/core/problem.ts";
import { Request } from "../../src/core/request.ts";
import type { Responder } from "../../src/core/responder.ts";
import { runHandler } from "../../src/core/run.ts";

/** What an application without an error handler does. */
export const recover: Application["recover"] = errorReply;

/** Notes what it is given and insists on the order that `Responder` asks for. */
export class RecordingResponder implements Responder {
  open = true;
  status = 0;
  headerText = "";
  body = "";
  length: number | undefined;
  chunks: Buffer[] = [];
  failure: unknown;
  state: "waiting" | "started" | "answered" | "ended" | "failed" = "waiting";
  /** While set, writes wait for it. */
  room: Promise<void> | undefined;

  answer(status: number, headerText: string, body: string): void {
    assert.equal(this.state, "waiting");
    this.state = "answered";
    Object.assign(this, { status, headerText, body });
  }
  start(status: number, headerText: string, length: number): void {
    assert.equal(this.state, "waiting");
    this.state = "started";
    Object.assign(this, { status, headerText, length });
  }
  write(chunk: Uint8Array): Promise<void> | undefined {
    assert.equal(this.state, "started");
    assert.ok(chunk.byteLength <= wholeBytesMax);
    this.chunks.push(Buffer.from(chunk));
    return this.room;
  }
  end(): void {
    assert.equal(this.state, "started");
    this.state = "ended";
  }
  fail(error: unknown): void {
    assert.equal(this.state, "started");
    this.state = "failed";
    this.failure = error;
  }
  get streamed(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

/** A request that runs, or ran. */
export interface Outcome {
  readonly responder: RecordingResponder;
  readonly reported: unknown[];
  readonly request: Request;
}

/** Runs `handler`, without waiting for its answer. */
export function begin(
  handler: Handler,
  options: { method?: string; recover?: Handler | typeof recover } = {},
): Outcome {
  const request = new Request(options.method ?? "GET", "/", "host: a\r\n", "::1", null, "");
  const responder = new RecordingResponder();
  const reported: unknown[] = [];
  const application = { recover: (options.recover ?? recover) as typeof recover };
  const report = (error: unknown): void => void reported.push(error);
  runHandler({ application, handler, request, responder, report });
  return { responder, reported, request };
}

/** Waits for the answer, a bounded number of turns. */
export async function finished(outcome: Outcome): Promise<Outcome> {
  for (let turn = 0; turn < 200; turn++) {
    if (!["waiting", "started"].includes(outcome.responder.state)) return outcome;
    await setImmediate();
  }
  throw new Error(`no answer after 200 turns, still ${outcome.responder.state}`);
}

/** A handler that returns `result`, whatever that is. */
export const returning =
  (result: unknown): Handler =>
  () =>
    result as HandlerResult;
