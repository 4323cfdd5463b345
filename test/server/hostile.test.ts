import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Server, ServerOptions } from "../../src/server.ts";
import { RawClient, get } from "../support/raw-client.ts";
import { serve } from "../support/serve.ts";

const hostileApp = new URL("../fixtures/hostile-app.ts", import.meta.url);

function start(options: Partial<ServerOptions> = {}): Promise<Server> {
  return serve({ app: hostileApp, workers: 1, ...options });
}

/** A head with a body announced or chunked, and what follows. */
function head(method: string, path: string, ...fields: string[]): string {
  return [`${method} ${path} HTTP/1.1`, "Host: localhost", ...fields, "", ""].join("\r\n");
}

const chunked = "Transfer-Encoding: chunked";

function chunks(size: number, count: number): string {
  return `${size.toString(16)}\r\n${"x".repeat(size)}\r\n`.repeat(count);
}

async function within<T>(ms: number, promise: Promise<T>, what: string): Promise<T> {
  const never = sleep(ms, undefined, { ref: true }).then(() => {
    throw new Error(`${what}: not within ${ms} ms`);
  });
  never.catch(() => undefined);
  return Promise.race([promise, never]);
}

async function eventually(check: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let n = 0; n < 100; n++) {
    if (await check()) return;
    await sleep(20);
  }
  assert.fail(`${what}: not within 2 s`);
}

async function hello(server: Server): Promise<void> {
  const response = await within(2_000, fetch(`${server.url}/hello`), "GET /hello");
  assert.equal(await response.text(), "hello");
}

describe("A hostile client", () => {
  test("whose upload is refused as too large leaves no slot taken", async () => {
    await using server = await start({ limits: { concurrency: 1 } });
    await using client = await RawClient.connect(server);
    client.send(head("POST", "/limited", chunked) + chunks(10_000, 12));
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 413 /);
    await hello(server);
  });

  test("whose upload grows too large after its answer began is cut", async () => {
    await using server = await start({ limits: { concurrency: 1 } });
    await using client = await RawClient.connect(server);
    client.send(head("POST", "/start-then-read", chunked) + chunks(10_000, 7));
    await client.until((text) => text.includes("started"));
    client.send(chunks(10_000, 6));
    await within(2_000, client.untilEnd(), "the end of the connection");
    await hello(server);
  });

  test("that sends HEAD with a large body does not stop its connection for good", async () => {
    await using server = await start();
    await using client = await RawClient.connect(server);
    client.send(
      head("HEAD", "/drip/1/100", "Content-Length: 250000") + "x".repeat(250_000) + get("/hello"),
    );
    await within(
      3_000,
      client.until((text) => text.endsWith("hello")),
      "the second answer",
    );
  });

  test("gets the answer before a stream that breaks before its turn", async () => {
    await using server = await start();
    await using client = await RawClient.connect(server);
    client.send(get("/sleep/200") + get("/broken-at-once"));
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 200 OK[\s\S]*slept/);
  });

  test("that leaves half a head behind a slow request is closed in the end", async () => {
    const limits = { headTimeoutMs: 300, lingerTimeoutMs: 300, keepAliveTimeoutMs: 300 };
    await using server = await start({ limits });
    await using client = await RawClient.connect(server, { allowHalfOpen: true });
    client.send(get("/sleep/1200") + "GET /hal");
    const text = await client.untilEnd();
    assert.match(text, /slept[\s\S]*HTTP\/1\.1 408/);
    await eventually(() => server.connectionCount === 0, "the server's end of the connection");
  });

  test("gets all answers, many as they are, when it closes its side behind its requests", async () => {
    await using server = await start();
    await using client = await RawClient.connect(server, { allowHalfOpen: true });
    client.socket.end(get("/hello").repeat(500), "latin1");
    const text = await client.untilEnd();
    assert.equal(text.split("HTTP/1.1 200 OK").length - 1, 500);
  });

  test("that expects 100 and is refused by its path is not read on as if it sent its body", async () => {
    await using server = await start();
    await using client = await RawClient.connect(server);
    client.send(head("POST", "/a/%2e%2e/b", "Content-Length: 60", "Expect: 100-continue"));
    const text = await client.until((received) => received.includes("\r\n\r\n"));
    assert.match(text, /^HTTP\/1\.1 400 /);
    assert.match(text, /connection: close/i);
  });

  test("that always has a request pending makes no heap of unread answers", async () => {
    await using server = await start({ limits: { unsentBytesMax: 65_536, sendTimeoutMs: 30_000 } });
    await using client = await RawClient.connect(server);
    client.socket.pause();
    client.socket.on("error", () => undefined);
    // Never more than is read ahead, and always a slow request behind what is answered.
    for (let n = 0; n < 60; n++) {
      client.send(get("/count/60000").repeat(25) + get("/sleep/60"));
      await sleep(45);
    }
    const calls = Number(await (await fetch(`${server.url}/calls`)).text());
    assert.ok(calls < 400, `${calls} answers of 60 kB were made for a client that reads nothing`);
  });

  test("gets a whole last answer however late it reads", async () => {
    await using server = await start({ limits: { lingerTimeoutMs: 200 } });
    // Which of them has an end that the system doesn't take at once depends on its buffers.
    const sizes = Array.from({ length: 24 }, (_, n) => 50 + 3 * n);
    const cut = await Promise.all(
      sizes.map(async (size) => {
        await using client = await RawClient.connect(server);
        client.socket.pause();
        client.send(head("GET", `/stream/${size}/50000`, "Connection: close"));
        await sleep(1_500);
        client.socket.resume();
        const text = await client.untilEnd();
        return text.endsWith("0\r\n\r\n") ? [] : [size];
      }),
    );
    assert.deepEqual(cut.flat(), []);
  });

  test("that leaves while a stream is silent is noticed", async () => {
    await using server = await start({ limits: { halfClosedTimeoutMs: 200 } });
    await using client = await RawClient.connect(server);
    client.send(get("/burst-then-wait"));
    await client.until((text) => text.length > 12_000_000);
    await sleep(50);
    client.socket.destroy();
    await eventually(
      async () => (await (await fetch(`${server.url}/aborted`)).text()) === "1",
      "abort",
    );
  });

  test("that leaves nothing behind a slow request is closed in the end", async () => {
    const limits = { headTimeoutMs: 300, lingerTimeoutMs: 300, keepAliveTimeoutMs: 300 };
    await using server = await start({ limits });
    await using client = await RawClient.connect(server, { allowHalfOpen: true });
    client.send(get("/sleep/1200"));
    const text = await client.untilEnd();
    assert.match(text, /slept/);
    await eventually(() => server.connectionCount === 0, "the server's end of the connection");
  });

  test("that sends HEAD with a small body keeps its connection", async () => {
    await using server = await start();
    await using client = await RawClient.connect(server);
    client.send(
      head("HEAD", "/drip/1/100", "Content-Length: 100000") + "x".repeat(100_000) + get("/hello"),
    );
    await within(
      3_000,
      client.until((text) => text.endsWith("hello")),
      "the second answer",
    );
  });

  test("gets 60 answers when it closes its side behind its requests", async () => {
    await using server = await start();
    await using client = await RawClient.connect(server, { allowHalfOpen: true });
    client.socket.end(get("/hello").repeat(60), "latin1");
    const text = await client.untilEnd();
    assert.equal(text.split("HTTP/1.1 200 OK").length - 1, 60);
  });

  test("that sends a body in chunks of one byte holds up nobody else", async () => {
    await using server = await start();
    await using client = await RawClient.connect(server);
    client.send(head("POST", "/length", chunked));
    let worst = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      worst = Math.max(worst, now - last);
      last = now;
    }, 5);
    client.send(chunks(1, 200_000) + "0\r\n\r\n");
    const text = await client.until((received) => /\r\n\r\n\d/.test(received));
    clearInterval(timer);
    assert.match(text, /200000$/);
    assert.ok(worst < 300, `the main thread stood still for ${Math.round(worst)} ms`);
  });

  test("gets a stream of 200,000 chunks of one byte", async () => {
    await using server = await start();
    const begin = performance.now();
    const response = await fetch(`${server.url}/stream/200000/1`);
    assert.equal((await response.text()).length, 200_000);
    const took = performance.now() - begin;
    assert.ok(took < 5_000, `it took ${Math.round(took)} ms`);
  });

  test("that is read a stream when the server drains is not waited for afterwards", async () => {
    await using server = await start();
    await using client = await RawClient.connect(server, { allowHalfOpen: false });
    client.send(get("/drip/10/50"));
    await client.until((text) => text.includes("drip 1"));
    await within(3_000, server.drain(AbortSignal.timeout(10_000)), "the drain");
    assert.match(client.text, /0\r\n\r\n$/);
  });

  test("gets every answer it asked for before the drain", async () => {
    await using server = await start();
    await using client = await RawClient.connect(server);
    client.send(get("/sleep/300") + get("/hello") + get("/hello"));
    await sleep(100);
    const drained = server.drain(AbortSignal.timeout(5_000));
    const text = await client.untilEnd();
    await drained;
    assert.equal(text.split("HTTP/1.1 200 OK").length - 1, 3);
  });

  test("that resets a hundred uploads leaves no slot taken", async () => {
    await using server = await start({ limits: { concurrency: 2 } });
    for (let n = 0; n < 100; n++) {
      const client = await RawClient.connect(server);
      client.socket.on("error", () => undefined);
      client.send(head("POST", "/length", "Content-Length: 1000000") + "x".repeat(70_000));
      if (n % 3 === 0) await sleep(3);
      client.socket.resetAndDestroy();
    }
    await hello(server);
    await eventually(() => server.connectionCount <= 1, "no connection");
  });

  test("that resets a hundred streams leaves no slot taken", async () => {
    await using server = await start({ limits: { concurrency: 2 } });
    for (let n = 0; n < 100; n++) {
      const client = await RawClient.connect(server);
      client.socket.on("error", () => undefined);
      client.send(get("/stream/1000/10000") + get("/drip/1000/5") + get("/edge-drip"));
      await sleep(n % 5);
      client.socket.resetAndDestroy();
    }
    await hello(server);
  });

  test("whose worker dies under its upload gets 502 or a cut, and the next is served", async () => {
    await using server = await start();
    await using client = await RawClient.connect(server);
    client.send(head("POST", "/length", "Content-Length: 1000000") + "x".repeat(200_000));
    await sleep(100);
    await fetch(`${server.url}/exit`);
    const text = await client.until((received) => received.includes("\r\n\r\n"));
    assert.match(text, /^HTTP\/1\.1 502 /);
    client.send("x".repeat(800_000));
    await hello(server);
  });

  test("whose body is exactly as large as a bound is taken", async () => {
    await using server = await start();
    await using client = await RawClient.connect(server);
    for (const [path, size, status] of [
      ["/whole", 65_536, 200],
      ["/limited", 65_536, 200],
      ["/limited", 65_537, 200],
      ["/limited", 100_000, 200],
      ["/edge-length", 65_536, 200],
      ["/edge-length", 65_537, 200],
      ["/edge-length", 100_000, 200],
    ] as const) {
      const answer = await client.exchange(
        head("POST", path, chunked) + chunks(size, 1) + "0\r\n\r\n",
      );
      assert.equal(answer.status, status, path + size);
      assert.equal(answer.body, String(size));
    }
    for (const [path, size] of [
      ["/whole", 65_537],
      ["/limited", 100_001],
      ["/edge-length", 100_001],
    ] as const) {
      await using other = await RawClient.connect(server);
      other.send(head("POST", path, chunked) + chunks(size, 1) + "0\r\n\r\n" + get("/hello"));
      const text = await other.untilEnd();
      assert.match(text, /^HTTP\/1\.1 413 /);
      assert.doesNotMatch(text, /hello/);
    }
  });

  test("cannot split an answer", async () => {
    await using server = await start();
    await using client = await RawClient.connect(server);
    for (const path of [
      "/location?to=%2F%0D%0Ax:1",
      "/location?to=%2F%C4%80%0A",
      "/field?v=a%0D%0Ab:c",
      "/field?v=%00",
      "/field?v=%F0%9F%98%80",
    ]) {
      const answer = await client.exchange(get(path));
      assert.doesNotMatch(answer.head, /^(?:x:1|b:c)/m);
      assert.ok([302, 303, 307, 500].includes(answer.status), `${path} ${answer.status}`);
    }
  });

  test("gets no body with 204, 205 and 304, and 500 for what is no status", async () => {
    await using server = await start();
    await using client = await RawClient.connect(server);
    for (const status of [204, 205, 304]) {
      client.send(get(`/status/${status}`) + get("/hello"));
      const before = client.text.length;
      const text = await client.until((received) => received.slice(before).endsWith("hello"));
      assert.doesNotMatch(text.slice(before), /a body/);
    }
    for (const status of ["99", "101", "600", "NaN", "200.5"]) {
      assert.equal((await fetch(`${server.url}/status/${status}`)).status, 500);
    }
  });

  test("cannot bring a worker down by what a handler returns", async () => {
    const gone: number[] = [];
    await using server = await start({ events: { workerGone: (id) => gone.push(id) } });
    const response = await within(2_000, fetch(`${server.url}/odd-then`), "the answer");
    assert.equal(response.status, 500);
    assert.deepEqual(gone, []);
  });

  test("cannot bring the server down by what an edge handler returns", async () => {
    await using server = await start();
    const response = await within(2_000, fetch(`${server.url}/edge-odd-then`), "the answer");
    assert.equal(response.status, 500);
  });

  test("is answered by inject whatever becomes of a large body", async () => {
    await using server = await start();
    const answer = server.inject("/ignore", { method: "POST", body: "x".repeat(900_000) });
    assert.equal(await (await within(2_000, answer, "the answer")).text(), "ignored");
  });

  test("that gives an inject up hears of it", async () => {
    await using server = await start();
    const answer = server.inject("/sleep/60000", { signal: AbortSignal.timeout(100) });
    await assert.rejects(within(2_000, answer, "the end"), { name: "TimeoutError" });
  });

  test("that leaves a stream of the edge frees it", async () => {
    await using server = await start();
    for (let n = 0; n < 30; n++) {
      const client = await RawClient.connect(server);
      client.socket.on("error", () => undefined);
      client.send(get("/edge-drip"));
      await client.until((text) => text.includes("aaa"));
      if (n % 2 === 0) client.socket.resetAndDestroy();
      else client.socket.destroy();
    }
    await eventually(() => server.connectionCount === 0, "no connection");
    await hello(server);
  });

  test("gets a stream and what is behind it by HTTP/1.0 keep-alive and 1.1", async () => {
    await using server = await start();
    await using old = await RawClient.connect(server);
    const ten = (path: string): string =>
      `GET ${path} HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n`;
    old.send(ten("/count/100000") + ten("/hello") + ten("/stream/3/10") + ten("/hello"));
    const text = await old.untilEnd();
    assert.equal(text.split("HTTP/1.1 200 OK").length - 1, 3);
    assert.match(text, /keep-alive[\s\S]*hello[\s\S]*connection: close[\s\S]*c{10}$/);
    await using client = await RawClient.connect(server);
    client.send(get("/drip/3/5") + get("/stream/3/10") + get("/hello"));
    await client.until((received) => received.endsWith("hello"));
  });

  test("that resets a connection in whose line a stream waits leaves no slot taken", async () => {
    await using server = await start({ limits: { concurrency: 3 } });
    for (let n = 0; n < 30; n++) {
      const client = await RawClient.connect(server);
      client.socket.on("error", () => undefined);
      client.send(get("/sleep/30") + get("/stream/1000/10000") + get("/drip/1000/5"));
      await sleep(n);
      client.socket.resetAndDestroy();
    }
    await hello(server);
  });

  test("whose upload waits in the queue and leaves takes no slot", async () => {
    await using server = await start({ limits: { concurrency: 1 } });
    await using first = await RawClient.connect(server);
    first.send(get("/sleep/500"));
    await sleep(50);
    for (let n = 0; n < 20; n++) {
      const client = await RawClient.connect(server);
      client.socket.on("error", () => undefined);
      client.send(
        head("POST", "/length", "Content-Length: 1000000") + "x".repeat(50_000 + n * 20_000),
      );
      await sleep(2);
      client.socket.resetAndDestroy();
    }
    await hello(server);
  });

  test("sends rubbish of every kind, and the server goes on", async () => {
    await using server = await start();
    const heads = [
      "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET http://a?x=/y HTTP/1.1\r\nHost: a\r\n\r\n",
      "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n",
      "OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
      "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /%c0%ae HTTP/1.1\r\nHost: a\r\nAccept: ,;;q=,,\xff\r\n\r\n",
      "GET //hello HTTP/1.1\r\nHost: a\r\n\r\n",
      "__proto__ /hello HTTP/1.1\r\nHost: a\r\n\r\n",
      "constructor /__proto__/constructor HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /hello HTTP/1.1\r\nHost: a\r\n__proto__: 1\r\nCookie: __proto__=1; a=%zz\r\n\r\n",
      "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
      "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
      "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 9007199254740993\r\n\r\n",
      "GET /hello HTTP/1.1\r\nHost: a\r\n" + "A: b\r\n".repeat(5_000) + "\r\n",
      "GET /hello HTTP/1.1\nHost: a\n\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ];
    for (const bytes of heads) {
      await using client = await RawClient.connect(server, { allowHalfOpen: true });
      client.socket.end(bytes, "latin1");
      const text = await client.untilEnd();
      assert.ok(text === "" || text.startsWith("HTTP/1.1 "), JSON.stringify([bytes, text]));
    }
    await hello(server);
  });
});
