import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { RawClient, get, post } from "../support/raw-client.ts";
import { serve } from "../support/serve.ts";

describe("A connection that is too slow", () => {
  test("to send its first byte is closed without a word", async () => {
    await using server = await serve({ workers: 1, limits: { firstByteTimeoutMs: 200 } });
    await using client = await RawClient.connect(server);
    assert.equal(await client.untilEnd(), "");
  });

  test("to finish a head gets 408, however often it sends a byte", async () => {
    await using server = await serve({ workers: 1, limits: { headTimeoutMs: 300 } });
    await using client = await RawClient.connect(server);
    client.send("GET / HTTP/1.1\r\n");
    const trickle = setInterval(() => client.send("x: y\r\n"), 50);
    try {
      assert.match(await client.untilEnd(), /^HTTP\/1\.1 408 Request Timeout/);
    } finally {
      clearInterval(trickle);
    }
  });

  test("to go on with a body gets 408", async () => {
    await using server = await serve({ workers: 1, limits: { bodyTimeoutMs: 200 } });
    await using client = await RawClient.connect(server);
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 408 Request Timeout/);
  });

  test("to send another request is closed", async () => {
    await using server = await serve({ workers: 1, limits: { keepAliveTimeoutMs: 200 } });
    await using client = await RawClient.connect(server);
    assert.equal((await client.exchange(get("/hello"))).body, "hello");
    await client.untilEnd();
  });

  test("may send a body slowly as long as it goes on", async () => {
    await using server = await serve({ workers: 1, limits: { bodyTimeoutMs: 300 } });
    await using client = await RawClient.connect(server);
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n");
    for (const byte of "abcdef") {
      await sleep(120);
      client.send(byte);
    }
    await client.until((text) => text.endsWith("abcdef"));
  });
});

describe("A connection that waits for its answer", () => {
  test("is left alone, however short the timeouts are", async () => {
    await using server = await serve({
      workers: 1,
      limits: {
        firstByteTimeoutMs: 100,
        headTimeoutMs: 100,
        bodyTimeoutMs: 100,
        keepAliveTimeoutMs: 100,
      },
    });
    await using client = await RawClient.connect(server);
    assert.equal((await client.exchange(get("/sleep/800"))).body, "slept");
  });

  test("counts as gone some time after it closed its side", async () => {
    await using server = await serve({ workers: 1, limits: { halfClosedTimeoutMs: 200 } });
    await using client = await RawClient.connect(server, { allowHalfOpen: true });
    client.socket.end(get("/wait"));
    assert.equal(await client.untilEnd(), "");
  });
});

describe("Draining", () => {
  test("finishes what was accepted, closes idle connections, and refuses new ones", async () => {
    const server = await serve({ workers: 1 });
    await using idle = await RawClient.connect(server);
    await idle.exchange(get("/hello"));
    await using busy = await RawClient.connect(server);
    busy.send(get("/sleep/300"));
    await sleep(100);
    const drained = server.drain(AbortSignal.timeout(5_000));
    await idle.untilEnd();
    const text = await busy.untilEnd();
    assert.match(text, /\r\nconnection: close\r\n[^]*slept$/i);
    await drained;
    await assert.rejects(RawClient.connect(server), /ECONNREFUSED/);
  });

  test("cuts what is left at the deadline", async () => {
    const server = await serve({ workers: 1 });
    await using client = await RawClient.connect(server);
    client.send(get("/wait"));
    await sleep(100);
    await server.drain(AbortSignal.timeout(200));
    assert.equal(await client.untilEnd(), "");
  });

  test("waits for a body that is still coming", async () => {
    const server = await serve({ workers: 1 });
    await using client = await RawClient.connect(server);
    client.send(post("/echo", "abcdef").slice(0, -3));
    await sleep(50);
    const drained = server.drain(AbortSignal.timeout(5_000));
    client.send("def");
    assert.match(await client.untilEnd(), /abcdef$/);
    await drained;
  });
});
