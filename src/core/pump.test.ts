import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { describe, test } from "node:test";
import type { Handler } from "./handler.ts";
import { reply } from "./reply.ts";
import { begin, finished, returning } from "../../test/support/recording-responder.ts";

describe("runHandler streams", () => {
  async function* generated(): AsyncGenerator<string | Uint8Array> {
    yield "ä";
    await setImmediate();
    yield "";
    yield new Uint8Array([66]);
  }
  function* generatedAtOnce(): Generator<string> {
    yield "a";
    yield "b";
  }
  const cases: [name: string, make: () => unknown, expected: string][] = [
    ["an async generator", generated, "äB"],
    ["a generator", generatedAtOnce, "ab"],
    ["a Node stream", () => Readable.from(["x", Buffer.from("y")]), "xy"],
    ["a web stream", () => new Blob(["web"]).stream(), "web"],
    ["an object that is an async iterable", () => ({ [Symbol.asyncIterator]: generated }), "äB"],
    ["a web Response", () => new Response("hi"), "hi"],
  ];
  for (const [name, make, expected] of cases) {
    test(name, async () => {
      const { responder, reported } = await finished(begin(returning(make())));
      assert.deepEqual([responder.state, responder.streamed, reported], ["ended", expected, []]);
      assert.equal(responder.length, -1);
    });
  }

  test("bytes, text and JSON beyond the whole size, in pieces, with their length", async () => {
    for (const result of [Buffer.alloc(150_000, "a"), "ü".repeat(40_000), ["b".repeat(70_000)]]) {
      const { responder } = await finished(begin(returning(result)));
      assert.equal(responder.state, "ended");
      assert.equal(responder.length, Buffer.concat(responder.chunks).byteLength);
      assert.ok(responder.chunks.length > 1);
    }
  });

  test("with the length its reply gives, and breaks it off when that is wrong", async () => {
    const answerOf = (length: string): Handler =>
      returning(reply(generatedAtOnce(), { headers: { "content-length": length } }));
    const right = (await finished(begin(answerOf("2")))).responder;
    assert.deepEqual([right.length, right.state], [2, "ended"]);
    assert.equal(right.headerText, "content-type: application/octet-stream\r\n");
    for (const wrong of ["1", "3"]) {
      const { responder, reported } = await finished(begin(answerOf(wrong)));
      assert.deepEqual([responder.state, reported.length], ["failed", 1]);
    }
    assert.equal(begin(answerOf("2, 2")).responder.status, 500);
  });

  test("no faster than its reader", async () => {
    let made = 0;
    const gate = Promise.withResolvers<void>();
    const outcome = begin(async function () {
      async function* endless(): AsyncGenerator<string> {
        for (; made < 3;) yield String(++made);
      }
      await setImmediate();
      outcome.responder.room = gate.promise;
      return endless();
    });
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    assert.equal(made, 1);
    outcome.responder.room = undefined;
    gate.resolve();
    assert.equal((await finished(outcome)).responder.streamed, "123");
  });

  test("until the source breaks: the answer is cut, the developer told", async () => {
    const error = new Error("disk");
    async function* breaking(): AsyncGenerator<string> {
      yield "a";
      throw error;
    }
    const { responder, reported } = await finished(begin(returning(breaking())));
    assert.deepEqual([responder.state, responder.failure, reported], ["failed", error, [error]]);
  });

  test("only strings and bytes", async () => {
    const { responder, reported } = await finished(begin(returning(Readable.from([{ a: 1 }]))));
    assert.equal(responder.state, "failed");
    assert.match(String(reported), /Cannot stream a object/);
  });

  test("until the client is gone, and stops the source at once", async () => {
    const stopped: string[] = [];
    const never = (): Promise<void> => new Promise(() => {});
    const web = new ReadableStream({ pull: never, cancel: () => void stopped.push("web") });
    const node = new Readable({
      read() {},
      destroy: (_, done) => (stopped.push("node"), done(null)),
    });
    const iterable = {
      [Symbol.asyncIterator]: () => ({
        next: never,
        return: async () => (stopped.push("iterator"), { done: true, value: undefined }),
      }),
    };
    for (const source of [web, node, iterable]) {
      const outcome = begin(returning(source));
      await setImmediate();
      assert.equal(outcome.responder.state, "started");
      outcome.request.abort();
      assert.equal(outcome.responder.state, "failed");
      await setImmediate();
      assert.deepEqual(outcome.reported, []);
    }
    assert.deepEqual(stopped, ["web", "node", "iterator"]);
  });

  test("nothing to HEAD, and lets the source go", async () => {
    let ran = false;
    let destroyed = false;
    async function* body(): AsyncGenerator<string> {
      ran = true;
      yield "a";
    }
    const first = begin(returning(reply(body(), { headers: { "content-length": 1 } })), {
      method: "HEAD",
    });
    assert.deepEqual([first.responder.state, first.responder.length, ran], ["ended", 1, false]);
    const node = new Readable({
      read() {},
      destroy: (_, done) => ((destroyed = true), done(null)),
    });
    begin(returning(node), { method: "HEAD" });
    await setImmediate();
    assert.ok(destroyed);
    const length = begin(returning(reply(null, { headers: { "content-length": 12 } })), {
      method: "HEAD",
    });
    assert.deepEqual([length.responder.state, length.responder.length], ["ended", 12]);
  });

  test("a Response that came from fetch without what described its encoded bytes", async () => {
    const fetched = new Response("plain", {
      status: 203,
      headers: [
        ["content-encoding", "gzip"],
        ["content-length", "3"],
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
      ],
    });
    Object.defineProperty(fetched, "url", { value: "http://origin/" });
    const { responder } = await finished(begin(returning(fetched)));
    assert.equal(
      responder.headerText,
      "content-type: text/plain;charset=UTF-8\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n",
    );
    assert.deepEqual([responder.status, responder.streamed, responder.length], [203, "plain", -1]);
  });
});
