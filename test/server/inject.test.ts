import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { app } from "millrace";
import type { Application } from "../../src/core/application.ts";
import { createServer, type Server } from "../../src/server.ts";
import { fixtureApp } from "../support/serve.ts";

for (const placement of ["workers", "the edge"] as const) {
  describe(`inject, with the application on ${placement}`, () => {
    let server: Server;
    before(async () => {
      const application = (await import(fixtureApp.href)) as { default: Application };
      const where = placement === "workers" ? fixtureApp : application.default;
      server = createServer({ app: where, workers: 1, events: { handlerFailed() {} } });
      await server.load();
    });
    after(async () => {
      await server[Symbol.asyncDispose]();
    });

    test("answers GET for a path", async () => {
      const response = await server.inject("/users/7?q=a%20b");
      assert.equal(response.status, 200);
      assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
      assert.deepEqual(await response.json(), { id: "7", query: "a b" });
    });

    test("answers GET for a URL", async () => {
      assert.equal(await (await server.inject("http://example.com/hello")).text(), "hello");
    });

    test("answers a Request object", async () => {
      const request = new Request("http://example.com/echo", { method: "POST", body: "Grüße" });
      assert.equal(await (await server.inject(request)).text(), "Grüße");
    });

    test("answers a POST of JSON", async () => {
      const body = JSON.stringify({ text: "Grüße" });
      const headers = { "content-type": "application/json" };
      const response = await server.inject("/json", { method: "POST", body, headers });
      assert.deepEqual(await response.json(), { got: { text: "Grüße" } });
    });

    test("carries every byte value there and back", async () => {
      const body = Uint8Array.from({ length: 60_000 }, (_, n) => (n * 7) % 256);
      const response = await server.inject("/echo", { method: "POST", body });
      assert.deepEqual(new Uint8Array(await response.arrayBuffer()), body);
    });

    test("streams a large body in", async () => {
      const body = new Uint8Array(5_000_000);
      const response = await answerOf(server.inject("/large", { method: "POST", body }));
      assert.equal(await response.text(), "5000000");
    });

    test("streams a large body in, byte for byte", async () => {
      const body = Uint8Array.from({ length: 500_000 }, (_, n) => (n * 31) % 251);
      const response = await answerOf(server.inject("/echo", { method: "POST", body }));
      assert.deepEqual(new Uint8Array(await response.arrayBuffer()), body);
    });

    test("answers though the handler never reads the large body", async () => {
      const body = new Uint8Array(900_000);
      const response = await answerOf(server.inject("/ignore", { method: "POST", body }));
      assert.equal(await response.text(), "ignored");
    });

    test("streams an answer, byte for byte", async () => {
      const response = await server.inject("/stream/60/100000");
      const bytes = Buffer.from(await response.arrayBuffer());
      assert.equal(bytes.length, 6_000_000);
      for (const n of [0, 1, 25, 26, 59]) assert.equal(bytes[n * 100_000], 97 + (n % 26));
    });

    test("gives an endless answer as it is made, and stops it when its reader cancels", async () => {
      const before = await abortedCount(server);
      const response = await server.inject("/ticks");
      const reader = response.body?.getReader();
      const first = await reader?.read();
      assert.equal(Buffer.from(first?.value ?? []).toString(), "tick 0\n");
      await reader?.cancel();
      await eventually(async () => (await abortedCount(server)) === before + 1);
    });

    test("breaks the body of an answer whose stream breaks", async () => {
      const response = await server.inject("/broken-stream");
      assert.equal(response.status, 200);
      await assert.rejects(answerOf(response.text()), /broke/);
    });

    for (const path of ["/hello", "/big/100000", "/stream/3/10"]) {
      test(`answers HEAD without a body: ${path}`, async () => {
        const response = await answerOf(server.inject(path, { method: "HEAD" }));
        assert.equal(response.status, 200);
        assert.equal((await response.arrayBuffer()).byteLength, 0);
      });
    }

    test("answers what has no body with none", async () => {
      const response = await server.inject("/empty");
      assert.equal(response.status, 204);
      assert.equal(response.body, null);
    });

    test("answers 404 and 405 where there is no route", async () => {
      assert.equal((await server.inject("/nowhere")).status, 404);
      const response = await server.inject("/hello", { method: "DELETE" });
      assert.equal(response.status, 405);
      assert.match(response.headers.get("allow") ?? "", /GET/);
    });

    test("answers 413 for a body over the route's limit, small or streamed", async () => {
      for (const bytes of [11, 100_000]) {
        const body = new Uint8Array(bytes);
        const response = await answerOf(server.inject("/small", { method: "POST", body }));
        assert.equal(response.status, 413);
      }
      const most = await server.inject("/small", { method: "POST", body: "x".repeat(10) });
      assert.equal(most.status, 200);
    });

    test("answers 500 without the handler's secret", async () => {
      const response = await server.inject("/throw");
      assert.equal(response.status, 500);
      assert.doesNotMatch(await response.text(), /secret|srv/);
    });

    test("aborts the handler when its signal aborts", async () => {
      const before = await abortedCount(server);
      const aborter = new AbortController();
      void server.inject("/wait", { signal: aborter.signal }).catch(String);
      await sleep(50);
      aborter.abort();
      await eventually(async () => (await abortedCount(server)) === before + 1);
    });

    test("rejects when its signal aborts", async () => {
      const before = await abortedCount(server);
      const aborter = new AbortController();
      const pending = server.inject("/wait", { signal: aborter.signal });
      setTimeout(() => aborter.abort(), 50);
      await assert.rejects(answerOf(pending), { name: "AbortError" });
      await eventually(async () => (await abortedCount(server)) === before + 1);
    });

    test("rejects when its signal was aborted before", async () => {
      const signal = AbortSignal.abort();
      await assert.rejects(answerOf(server.inject("/hello", { signal })), { name: "AbortError" });
    });

    test("breaks the streamed body when its signal aborts", async () => {
      const aborter = new AbortController();
      const response = await server.inject("/ticks", { signal: aborter.signal });
      setTimeout(() => aborter.abort(), 50);
      await assert.rejects(answerOf(response.text()), { name: "AbortError" });
    });

    test("rejects when its signal aborts in the middle of a large upload", async () => {
      const aborter = new AbortController();
      const body = new Uint8Array(900_000);
      const init = { method: "POST", body, signal: aborter.signal };
      const pending = server.inject("/slow-reader", init);
      setTimeout(() => aborter.abort(), 50);
      await assert.rejects(answerOf(pending), { name: "AbortError" });
    });

    test("needs no listening socket and counts no connection", async () => {
      await server.inject("/hello");
      assert.equal(server.connectionCount, 0);
      const listening = process.getActiveResourcesInfo().filter((name) => /Server/.test(name));
      assert.deepEqual(listening, []);
    });
  });
}

describe("inject", () => {
  test("loads the application by itself", async () => {
    await using server = createServer({ app: fixtureApp, workers: 1 });
    assert.equal(await (await server.inject("/hello")).text(), "hello");
    assert.equal(server.workerCount, 1);
  });

  test("loads the application once for two requests at once", async () => {
    await using server = createServer({ app: fixtureApp, workers: 1 });
    const both = await Promise.all([server.inject("/hello"), server.inject("/hello")]);
    assert.deepEqual(
      both.map(({ status }) => status),
      [200, 200],
    );
  });

  test("rejects once the server is closed", async () => {
    const server = createServer({ app: fixtureApp, workers: 1 });
    await server.inject("/hello");
    await server[Symbol.asyncDispose]();
    await assert.rejects(answerOf(server.inject("/hello")), /that is closed/);
  });

  test("gives the head of an answer that is made while the body is read", async () => {
    const echo = app().post("/echo-stream", { bodyLimit: 1_000_000 }, async function* (request) {
      for await (const chunk of request.body ?? []) yield chunk;
    });
    await using server = createServer({ app: echo });
    const body = new Uint8Array(500_000).fill(7);
    const response = await answerOf(server.inject("/echo-stream", { method: "POST", body }));
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), body);
  });

  test("runs edge routes of an application on workers on the edge", async () => {
    await using server = createServer({ app: fixtureApp, workers: 1 });
    assert.equal(await (await server.inject("/edge")).text(), "edge 0");
    assert.equal(await (await server.inject("/edge-stream")).text(), "line 0\nline 1\nline 2\n");
    const init = { method: "POST", body: "x".repeat(200_000) };
    assert.equal(await (await server.inject("/edge-echo", init)).text(), init.body);
  });
});

async function abortedCount(server: Server): Promise<number> {
  return Number(await (await server.inject("/aborted")).text());
}

/** Waits 3 s at most, so that an answer that never comes fails its own test and no other. */
async function answerOf<T>(pending: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = sleep(3_000, undefined, { signal: timer.signal }).then(() => {
    throw new Error("nothing came within 3 s");
  });
  try {
    return await Promise.race([pending, late]);
  } finally {
    timer.abort();
    late.catch(String);
  }
}

async function eventually(check: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < 150; n++) {
    if (await check()) return;
    await sleep(20);
  }
  assert.fail("it did not happen within 3 s");
}
