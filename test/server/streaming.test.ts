import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "../../src/server.ts";
import { RawClient, get } from "../support/raw-client.ts";
import { serve } from "../support/serve.ts";

describe("Streaming", () => {
  let server: Server;
  before(async () => {
    server = await serve();
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
  });

  test("carries a large upload to a worker, byte for byte", async () => {
    const bytes = 20_000_000;
    const response = await fetch(`${server.url}/large`, {
      method: "POST",
      body: Buffer.alloc(bytes, 1),
    });
    assert.equal(await response.text(), String(bytes));
  });

  test("carries a chunked upload of unknown length to a worker", async () => {
    const body = new ReadableStream({
      start(controller) {
        for (let n = 0; n < 50; n++) controller.enqueue(Buffer.alloc(10_000, n));
        controller.close();
      },
    });
    const response = await fetch(`${server.url}/length`, { method: "POST", body, duplex: "half" });
    assert.equal(await response.text(), "500000");
  });

  test("holds back an upload while its handler doesn't read, and loses nothing", async () => {
    const body = Buffer.alloc(1_000_000, 7);
    const response = await fetch(`${server.url}/slow-reader`, { method: "POST", body });
    assert.equal(await response.text(), String(body.length));
  });

  test("refuses an upload that grows over the limit while it streams", async () => {
    await using client = await RawClient.connect(server);
    client.send("POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    const chunk = `${(50_000).toString(16)}\r\n${"x".repeat(50_000)}\r\n`;
    for (let n = 0; n < 25 && !client.ended; n++) {
      client.send(chunk);
      await sleep(1);
    }
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 413 /);
  });

  test("carries a large download from a worker, byte for byte", async () => {
    const response = await fetch(`${server.url}/stream/200/100000`);
    const body = Buffer.from(await response.arrayBuffer());
    assert.equal(body.length, 20_000_000);
    for (const n of [0, 1, 25, 26, 199]) assert.equal(body[n * 100_000], 97 + (n % 26));
  });

  test("sends a whole answer of a megabyte with its length", async () => {
    const response = await fetch(`${server.url}/big/1000000`);
    assert.equal(response.headers.get("content-length"), "1000000");
    assert.equal((await response.text()).length, 1_000_000);
  });

  test("sends each chunk of a slow stream as it is made", async () => {
    await using client = await RawClient.connect(server);
    client.send(get("/ticks"));
    await client.until((text) => text.includes("tick 0"));
    assert.doesNotMatch(client.text, /tick 900/);
  });

  test("stops a stream whose client went away", async () => {
    await using server = await serve({ workers: 1 });
    {
      await using client = await RawClient.connect(server);
      client.send(get("/ticks"));
      await client.until((text) => text.includes("tick 1"));
    }
    await eventually(async () => (await abortedCount(server)) === 1);
  });

  test("aborts the signal of a handler whose client went away", async () => {
    await using server = await serve({ workers: 1, limits: { halfClosedTimeoutMs: 100 } });
    {
      await using client = await RawClient.connect(server);
      client.send(get("/wait"));
      await sleep(50);
    }
    await eventually(async () => (await abortedCount(server)) === 1);
  });

  test("cuts the connection when a stream breaks, so that it never looks complete", async () => {
    await using client = await RawClient.connect(server);
    client.send(get("/broken-stream"));
    const text = await client.untilEnd();
    assert.match(text, /4\r\nsome\r\n$/);
  });

  test("cuts the connection when a body is shorter than it said", async () => {
    await using client = await RawClient.connect(server);
    client.send(get("/too-short"));
    const text = await client.untilEnd();
    assert.match(text, /content-length: 10\r\n/i);
    assert.match(text, /few$/);
  });

  test("keeps little for a client that doesn't read", async () => {
    const { address } = server;
    assert.ok("port" in address);
    const socket = connect({ host: "127.0.0.1", port: address.port });
    try {
      socket.pause();
      socket.write(get("/stream/2000/100000"));
      await sleep(100);
      const before = process.memoryUsage().arrayBuffers + process.memoryUsage().external;
      await sleep(700);
      const grown = process.memoryUsage().arrayBuffers + process.memoryUsage().external - before;
      // 200 MB were asked for; what is on its way is bounded by credit and socket buffers.
      assert.ok(grown < 8_000_000, `grew by ${grown} bytes`);
    } finally {
      socket.destroy();
    }
  });

  test("reads no further pipelined requests for a client that doesn't read its answers", async () => {
    const small = await serve({ limits: { unsentBytesMax: 65_536, sendTimeoutMs: 400 } });
    try {
      const { address } = small;
      assert.ok("port" in address);
      const socket = connect({ host: "127.0.0.1", port: address.port });
      socket.pause();
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.on("error", () => {});
      for (let n = 0; n < 1_000; n++) socket.write(get("/big/60000"));
      await sleep(1_500);
      assert.equal(small.connectionCount, 0, "the client that reads nothing was cut");
      socket.destroy();
      await closed;
    } finally {
      await small[Symbol.asyncDispose]();
    }
  });
});

async function abortedCount(server: Server): Promise<number> {
  return Number(await (await fetch(`${server.url}/aborted`)).text());
}

async function eventually(check: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < 200; n++) {
    if (await check()) return;
    await sleep(20);
  }
  assert.fail("it did not happen within 4 s");
}
