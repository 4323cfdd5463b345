import { isBodiless, renderAnswer, type Answer, type AnswerSource } from "./answer.ts";
import type { Application } from "./application.ts";
import type { Handler } from "./handler.ts";
import { errorReply, serverErrorAnswer } from "./problem.ts";
import { discardSource, pumpAnswer, type PumpContext } from "./pump.ts";
import { Reply } from "./reply.ts";
import { isAsyncIterable, isReadableStream } from "./result-kind.ts";

export type { ReportError } from "./pump.ts";

/** One request, its handler, and what takes the answer. */
export interface Run extends PumpContext {
  readonly application: Pick<Application, "recover">;
  readonly handler: Handler;
}

/**
 * Runs a handler and sees to it that its responder gets exactly one answer, whatever the handler
 * does. A result that is there at once is answered before this returns.
 *
 * What a handler throws goes to `application.recover`; should that throw too, problem details go
 * out. `report` hears of every error that ends in a status from 500 on, or breaks a streamed
 * answer; no client ever sees one.
 *
 * A request that was aborted gets its answer like any other: where it goes, nobody is listening. A
 * streamed answer is then broken off, and an `AbortError` is no error.
 */
export function runHandler(run: Run): void {
  let result: ReturnType<Handler>;
  let isPending: boolean;
  try {
    result = run.handler(run.request);
    isPending = isPromise(result);
  } catch (error) {
    recover(run, error);
    return;
  }
  if (isPending) void settle(run, result as PromiseLike<unknown>);
  else deliver(run, result);
}

async function settle(run: Run, pending: PromiseLike<unknown>): Promise<void> {
  let result: unknown;
  try {
    result = await pending;
  } catch (error) {
    recover(run, error);
    return;
  }
  deliver(run, result);
}

function deliver(run: Run, result: unknown): void {
  let answer: Answer;
  try {
    answer = renderAnswer(result);
  } catch (error) {
    discardResult(run, result);
    recover(run, error);
    return;
  }
  send(run, answer);
}

function send(run: Run, answer: Answer): void {
  const { request, responder } = run;
  const { status, headerText, body, source, length } = answer;
  if (source === null) {
    if (length !== -1 && request.method === "HEAD") {
      responder.start(status, headerText, length);
      responder.end();
    } else {
      responder.answer(status, headerText, isBodiless(status) ? "" : body);
    }
    return;
  }
  if (isBodiless(status) || request.method === "HEAD") {
    discardSource(source, run);
    if (isBodiless(status)) {
      responder.answer(status, headerText, "");
    } else {
      responder.start(status, headerText, length);
      responder.end();
    }
    return;
  }
  try {
    pumpAnswer(run, answer, source);
  } catch (error) {
    recover(run, error);
  }
}

/** Answers an error, through the application's own handler if it has one. */
function recover(run: Run, error: unknown): void {
  if (run.request.aborted && isAbortError(error)) {
    answerLast(run, error);
    return;
  }
  let result: ReturnType<Handler>;
  let isPending: boolean;
  try {
    result = run.application.recover(error, run.request);
    isPending = isPromise(result);
  } catch (second) {
    answerAnyway(run, error, second);
    return;
  }
  if (isPending) void settleRecovery(run, error, result as PromiseLike<unknown>);
  else deliverRecovery(run, error, result);
}

async function settleRecovery(
  run: Run,
  error: unknown,
  pending: PromiseLike<unknown>,
): Promise<void> {
  let result: unknown;
  try {
    result = await pending;
  } catch (second) {
    answerAnyway(run, error, second);
    return;
  }
  deliverRecovery(run, error, result);
}

function deliverRecovery(run: Run, error: unknown, result: unknown): void {
  let answer: Answer;
  try {
    answer = renderAnswer(result);
  } catch (second) {
    discardResult(run, result);
    answerAnyway(run, error, second);
    return;
  }
  if (answer.status >= 500) run.report(error, run.request);
  // Should the stream of an error answer turn out unreadable, the error handler isn't asked again.
  send(answer.source === null ? run : { ...run, application: { recover: rethrow } }, answer);
}

/**
 * The error handler failed, with `second`, over `error`; often by throwing on what it doesn't know.
 */
function answerAnyway(run: Run, error: unknown, second: unknown): void {
  if (second !== error) run.report(error, run.request);
  answerLast(run, second);
}

function answerLast(run: Run, error: unknown): void {
  const { request, responder, report } = run;
  const quiet = request.aborted && isAbortError(error);
  let answer: Answer;
  try {
    answer = renderAnswer(errorReply(error, request));
  } catch (second) {
    report(second, request);
    answer = serverErrorAnswer;
  }
  if (answer.status >= 500 && !quiet) report(error, request);
  responder.answer(answer.status, answer.headerText, answer.body);
}

function rethrow(error: unknown): never {
  throw error;
}

/** A result that can't be sent may hold a stream that somebody must close. */
function discardResult(run: Run, result: unknown): void {
  const body: unknown = result instanceof Reply ? result.body : result;
  if (typeof body !== "object" || body === null) return;
  if ((isReadableStream(body) && !body.locked) || isAsyncIterable(body)) {
    discardSource(body as AnswerSource, run);
  }
}

function isPromise(result: unknown): result is PromiseLike<unknown> {
  if (result instanceof Promise) return true;
  return (
    typeof result === "object" &&
    result !== null &&
    typeof (result as Partial<PromiseLike<unknown>>).then === "function"
  );
}

function isAbortError(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
