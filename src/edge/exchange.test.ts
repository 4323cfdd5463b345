import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { BodyChannel } from "../core/body-channel.ts";
import { creditBytes } from "../core/bounds.ts";
import { Request } from "../core/request.ts";
import type { WorkerHandle } from "../workers/worker-handle.ts";
import { Exchange } from "./exchange.ts";

/** An exchange between an owner, a router and a worker that only note what they are told. */
function makeExchange() {
  const log: string[] = [];
  const note = (what: string) => () => void log.push(what);
  const owner = {
    answered: note("answered"),
    started: note("started"),
    wrote: (_exchange: Exchange, chunk: Uint8Array) => void log.push(`wrote ${textOf(chunk)}`),
    ended: note("ended"),
    failed: note("failed"),
    bodyRoom: note("bodyRoom"),
  };
  const router = { forget: note("forget"), requeue: note("requeue"), lost: note("lost") };
  const worker = {
    id: 1,
    sendBody: (_exchange: Exchange, chunk: Uint8Array) => void log.push(`body ${textOf(chunk)}`),
    endBody: note("body end"),
    cancel: note("cancel"),
  } as unknown as WorkerHandle;
  const exchange = new Exchange(owner, router, "POST", "/", "", "::1");
  const dispatch = (): void => {
    exchange.worker = worker;
    exchange.dispatched();
  };
  return { exchange, log, dispatch };
}

describe("The streamed body of an exchange", () => {
  test("goes to the worker in order, what came before the dispatch first", () => {
    const { exchange, log, dispatch } = makeExchange();
    exchange.streamBody();
    exchange.addBody(bytesOf("a"));
    exchange.addBody(bytesOf("b"));
    assert.deepEqual(log, []);
    dispatch();
    exchange.addBody(bytesOf("c"));
    exchange.completeBody();
    assert.deepEqual(log, ["body a", "body b", "body c", "body end"]);
  });

  test("that was complete before the dispatch goes whole, with its end once", () => {
    const { exchange, log, dispatch } = makeExchange();
    exchange.streamBody();
    exchange.addBody(bytesOf("a"));
    exchange.completeBody();
    dispatch();
    assert.deepEqual(log, ["body a", "body end"]);
  });

  test("is copied while it waits: the bytes given may be used again", () => {
    const { exchange, log, dispatch } = makeExchange();
    const bytes = bytesOf("a");
    exchange.streamBody();
    exchange.addBody(bytes);
    bytes.fill(0);
    dispatch();
    assert.deepEqual(log, ["body a"]);
  });

  test("goes to a handler on the edge, copied", async () => {
    const { exchange } = makeExchange();
    const bytes = bytesOf("b");
    exchange.streamBody();
    exchange.addBody(bytesOf("a"));
    const channel = exchange.openBody();
    exchange.addBody(bytes);
    bytes.fill(0);
    exchange.completeBody();
    assert.equal(await readAll(channel), "ab");
  });

  test("is held back once its credit is used up, and let on once half is read", () => {
    const { exchange, log, dispatch } = makeExchange();
    exchange.streamBody();
    dispatch();
    assert.equal(exchange.addBody(new Uint8Array(creditBytes - 1)), true);
    assert.equal(exchange.addBody(new Uint8Array(1)), false);
    exchange.bodyRead(creditBytes / 2);
    assert.deepEqual(told(log), ["bodyRoom"]);
    exchange.bodyRead(creditBytes / 2);
    assert.deepEqual(told(log), ["bodyRoom"], "the owner is told once, not at each credit");
    assert.equal(exchange.addBody(new Uint8Array(creditBytes - 1)), true);
  });

  test("counts against its credit before the dispatch too", () => {
    const { exchange } = makeExchange();
    exchange.streamBody();
    assert.equal(exchange.addBody(new Uint8Array(creditBytes)), false);
  });

  test("gives room only once all that went over the credit is read", () => {
    const { exchange, log, dispatch } = makeExchange();
    exchange.streamBody();
    dispatch();
    assert.equal(exchange.addBody(new Uint8Array(creditBytes + 100)), false);
    exchange.bodyRead(100);
    assert.deepEqual(told(log), []);
    exchange.bodyRead(1);
    assert.deepEqual(told(log), ["bodyRoom"]);
  });

  test("does not go through the handle when it is whole", () => {
    const { exchange, log, dispatch } = makeExchange();
    exchange.wholeBody = "abc";
    dispatch();
    assert.deepEqual(log, []);
  });
});

describe("An exchange that is abandoned", () => {
  test("cancels its request at the worker, and takes no answer any more", () => {
    const { exchange, log, dispatch } = makeExchange();
    dispatch();
    exchange.abandon(gone());
    assert.deepEqual(log, ["cancel"]);
    assert.equal(exchange.open, false);
    answerInEveryWay(exchange);
    assert.deepEqual(log, ["cancel"]);
    assert.equal(exchange.state, "abandoned");
  });

  test("leaves the queue it waits in", () => {
    const { exchange, log } = makeExchange();
    exchange.queueSlot = 3;
    exchange.abandon(gone());
    assert.deepEqual(log, ["forget"]);
  });

  test("frees the body that waited for its dispatch", () => {
    const { exchange, log, dispatch } = makeExchange();
    exchange.streamBody();
    exchange.addBody(bytesOf("a"));
    exchange.abandon(gone());
    dispatch();
    assert.deepEqual(log, []);
  });

  test("keeps nothing of a body that goes on arriving", () => {
    const { exchange, log, dispatch } = makeExchange();
    exchange.streamBody();
    exchange.abandon(gone());
    exchange.addBody(bytesOf("a"));
    dispatch();
    assert.deepEqual(log, []);
  });

  test("breaks the body that a handler on the edge reads, and aborts its request", async () => {
    const { exchange } = makeExchange();
    exchange.streamBody();
    const channel = exchange.openBody();
    const request = new Request("POST", "/", "", "::1", null, channel);
    exchange.request = request;
    exchange.addBody(bytesOf("a"));
    const reading = readAll(channel);
    exchange.abandon(gone());
    await assert.rejects(reading, { name: "AbortError" });
    assert.equal(request.aborted, true);
  });

  test("asks for no other worker when its own ends", () => {
    const { exchange, log, dispatch } = makeExchange();
    dispatch();
    exchange.abandon(gone());
    exchange.workerLost(false);
    exchange.workerLost(true);
    assert.deepEqual(log, ["cancel"]);
  });
});

describe("The answer of an exchange", () => {
  test("is the first one; later ones are ignored", () => {
    const { exchange, log } = makeExchange();
    exchange.answer(200, "a: b\r\n", "first");
    answerInEveryWay(exchange);
    assert.deepEqual(log, ["answered"]);
    assert.deepEqual(
      [exchange.status, exchange.answerHeaderText, exchange.answerBody],
      [200, "a: b\r\n", "first"],
    );
    exchange.abandon(gone());
    assert.equal(exchange.state, "answered", "what is answered is not taken back");
  });

  test("streams from start to end, and no further", () => {
    const { exchange, log } = makeExchange();
    void exchange.write(bytesOf("early"));
    exchange.end();
    exchange.fail();
    assert.deepEqual(log, []);
    exchange.start(200, "", 3);
    assert.equal(exchange.open, true);
    exchange.start(500, "", -1);
    exchange.answer(500, "", "");
    void exchange.write(bytesOf("abc"));
    exchange.end();
    answerInEveryWay(exchange);
    assert.deepEqual(log, ["started", "wrote abc", "ended"]);
    assert.deepEqual([exchange.status, exchange.answerLength], [200, 3]);
    assert.equal(exchange.open, false);
  });

  test("that broke stays broken", () => {
    const { exchange, log } = makeExchange();
    exchange.start(200, "", -1);
    exchange.fail();
    answerInEveryWay(exchange);
    assert.deepEqual(log, ["started", "failed"]);
  });
});

describe("An exchange whose worker ended", () => {
  test("goes to another when it had not started", () => {
    const { exchange, log, dispatch } = makeExchange();
    dispatch();
    exchange.workerLost(false);
    assert.deepEqual(log, ["requeue"]);
  });

  test("is lost when it had started", () => {
    const { exchange, log, dispatch } = makeExchange();
    dispatch();
    exchange.workerLost(true);
    assert.deepEqual(log, ["lost"]);
  });

  test("is lost when some of its body went with the worker", () => {
    const { exchange, log, dispatch } = makeExchange();
    exchange.streamBody();
    dispatch();
    exchange.addBody(bytesOf("a"));
    exchange.workerLost(false);
    assert.deepEqual(log, ["body a", "lost"]);
  });

  test("gives its whole streamed body to the next when none of it had left", () => {
    const { exchange, log, dispatch } = makeExchange();
    exchange.streamBody();
    dispatch();
    exchange.workerLost(false);
    exchange.addBody(bytesOf("a"));
    exchange.completeBody();
    dispatch();
    assert.deepEqual(log, ["requeue", "body a", "body end"]);
  });

  test("is left alone when it was answered", () => {
    const { exchange, log } = makeExchange();
    exchange.answer(200, "", "");
    exchange.workerLost(true);
    assert.deepEqual(log, ["answered"]);
  });
});

describe("An exchange that found its route", () => {
  test("takes its limits from it, and its deadline from now", () => {
    const { exchange } = makeExchange();
    const limits = { bodyBytesMax: 10, priority: 2, queueTimeoutMs: 300 };
    exchange.assign({ index: 4, placement: "thread", ...limits }, 1_000);
    const { handlerIndex, bodyBytesMax, priority, expiresAtMs } = exchange;
    assert.deepEqual([handlerIndex, bodyBytesMax, priority, expiresAtMs], [4, 10, 2, 1_300]);
  });
});

function answerInEveryWay(exchange: Exchange): void {
  exchange.answer(500, "late: yes\r\n", "late");
  exchange.start(500, "late: yes\r\n", -1);
  void exchange.write(bytesOf("late"));
  exchange.end();
  exchange.fail();
}

function told(log: readonly string[]): string[] {
  return log.filter((entry) => !entry.startsWith("body "));
}

function gone(): Error {
  return new DOMException("The client is gone", "AbortError");
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

async function readAll(channel: BodyChannel): Promise<string> {
  let text = "";
  for await (const chunk of channel.open()) text += textOf(chunk);
  return text;
}
