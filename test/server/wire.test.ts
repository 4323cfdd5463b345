import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Server } from "../../src/server.ts";
import { RawClient, get, post } from "../support/raw-client.ts";
import { serve } from "../support/serve.ts";

// What a client sees on the wire, byte by byte, of a server with worker threads.

describe("A connection", () => {
  let server: Server;
  before(async () => {
    server = await serve();
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
  });

  test("answers with status, length, date and server, and stays open", async () => {
    await using client = await RawClient.connect(server);
    for (let n = 0; n < 3; n++) {
      const { status, head, body } = await client.exchange(get("/hello"));
      assert.equal(status, 200);
      assert.equal(body, "hello");
      assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
      assert.match(head, /\r\ncontent-length: 5(\r\n|$)/i);
      assert.match(head, /\r\ncontent-type: text\/plain; charset=utf-8(\r\n|$)/i);
      assert.match(head, /\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT(\r\n|$)/i);
      assert.match(head, /\r\nserver: Millrace(\r\n|$)/i);
      assert.doesNotMatch(head, /\r\nconnection:/i);
    }
  });

  test("answers in UTF-8 with the length in bytes", async () => {
    await using client = await RawClient.connect(server);
    const { head, body } = await client.exchange(get("/json"));
    const text = Buffer.from(body, "latin1").toString("utf8");
    assert.deepEqual(JSON.parse(text), { ok: true, text: "Grüße" });
    assert.match(head, new RegExp(`content-length: ${body.length}`, "i"));
  });

  test("answers pipelined requests in their order, whoever is ready first", async () => {
    await using client = await RawClient.connect(server);
    const paths = ["/sleep/60", "/hello", "/edge", "/none", "/stream/3/4", "/users/7", "/hello"];
    const last = get("/users/last", "Connection: close");
    client.send(paths.map((path) => get(path)).join("") + last);
    const text = await client.untilEnd();
    const order = [
      "slept",
      "hello",
      "edge 0",
      "404",
      "aaaa",
      "bbbb",
      "cccc",
      '"7"',
      "hello",
      '"last"',
    ];
    let at = 0;
    for (const part of order) {
      const next = text.indexOf(part, at);
      assert.ok(next >= at, `${part} comes in its turn in ${JSON.stringify(text)}`);
      at = next + part.length;
    }
  });

  test("answers 200 pipelined requests, more than it reads ahead", async () => {
    await using client = await RawClient.connect(server);
    client.send(get("/hello").repeat(199) + get("/hello", "Connection: close"));
    const text = await client.untilEnd();
    assert.equal(text.split("HTTP/1.1 200 OK").length - 1, 200);
  });

  test("takes a request in pieces of one byte", async () => {
    await using client = await RawClient.connect(server);
    client.socket.setNoDelay(true);
    const request = post("/echo", "abc", "Connection: close");
    for (const byte of request) {
      client.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.match(await client.untilEnd(), /\r\n\r\nabc$/);
  });

  test("answers HEAD like GET without the body", async () => {
    await using client = await RawClient.connect(server);
    client.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n" + get("/users/1", "Connection: close"));
    const text = await client.untilEnd();
    const [head = "", rest] = text.split("\r\n\r\n");
    assert.match(head, /\r\ncontent-length: 5(\r\n|$)/i);
    assert.match(rest ?? "", /^HTTP\/1\.1 200 OK/);
    assert.doesNotMatch(text, /hello/);
  });

  test("answers HEAD of a stream with the head alone, and stops the stream", async () => {
    await using client = await RawClient.connect(server);
    client.send("HEAD /ticks HTTP/1.1\r\nHost: a\r\n\r\n" + get("/hello", "Connection: close"));
    const text = await client.untilEnd();
    assert.doesNotMatch(text, /tick/);
    assert.match(text, /\r\n\r\nhello$/);
  });

  test("answers OPTIONS by itself with the methods of the path", async () => {
    await using client = await RawClient.connect(server);
    const { status, head } = await client.exchange("OPTIONS /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    assert.equal(status, 204);
    assert.match(head, /\r\nallow: GET, HEAD, OPTIONS(\r\n|$)/i);
  });

  test("answers OPTIONS * without looking for a route (RFC 9110 §9.3.7)", async () => {
    await using client = await RawClient.connect(server);
    const { status } = await client.exchange("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    assert.equal(status, 204);
  });

  test("answers 405 with Allow where the path has other methods", async () => {
    await using client = await RawClient.connect(server);
    const { status, head } = await client.exchange("DELETE /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    assert.equal(status, 405);
    assert.match(head, /\r\nallow: OPTIONS, POST(\r\n|$)/i);
  });

  test("answers 404 as problem details where the client takes JSON, as text where it doesn't", async () => {
    await using client = await RawClient.connect(server);
    const json = await client.exchange(get("/none", "Accept: application/json"));
    assert.equal(json.status, 404);
    assert.match(json.head, /content-type: application\/problem\+json/i);
    assert.equal((JSON.parse(json.body) as { status: number }).status, 404);
    const text = await client.exchange(get("/none", "Accept: text/html"));
    assert.equal(text.status, 404);
    assert.match(text.head, /content-type: text\/plain/i);
  });

  test("refuses paths that climb, in every encoding", async () => {
    await using client = await RawClient.connect(server);
    for (const path of ["/../x", "/a/%2e%2e/x", "/a/..%2fx", "/a/%2E./x", "/%2e%2e%5cx", "/x%00"]) {
      assert.equal((await client.exchange(get(path))).status, 400, path);
    }
    assert.equal((await client.exchange(get("/hello"))).status, 200);
  });

  test("shows nothing of an error that wasn't meant for the client", async () => {
    await using client = await RawClient.connect(server);
    const { status, head, body } = await client.exchange(get("/throw"));
    assert.equal(status, 500);
    assert.doesNotMatch(head + body, /secret|app\.ts|\bat /);
  });

  test("shows status and message of an HttpError", async () => {
    await using client = await RawClient.connect(server);
    const { status, body } = await client.exchange(get("/teapot", "Accept: application/json"));
    assert.equal(status, 418);
    assert.match(body, /Short and stout/);
  });

  test("takes chunked bodies and keeps the connection", async () => {
    await using client = await RawClient.connect(server);
    const chunked =
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
      "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nx-trailer: 1\r\n\r\n";
    assert.equal((await client.exchange(chunked)).body, "abcdefg");
    assert.equal((await client.exchange(get("/hello"))).body, "hello");
  });

  test("keeps every byte of a binary body", async () => {
    await using client = await RawClient.connect(server);
    const bytes = Array.from({ length: 256 }, (_, n) => String.fromCharCode(n)).join("");
    assert.equal((await client.exchange(post("/echo", bytes))).body, bytes);
  });

  test("says 100 Continue to a client that waits for it (RFC 9110 §10.1.1)", async () => {
    await using client = await RawClient.connect(server);
    client.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n",
    );
    await client.until((text) => text === "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("abc");
    await client.until((text) => text.endsWith("\r\n\r\nabc"));
  });

  test("refuses a body announced too large before it is sent", async () => {
    await using client = await RawClient.connect(server);
    client.send(
      "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n",
    );
    const text = await client.untilEnd();
    assert.match(text, /^HTTP\/1\.1 413 /);
    assert.match(text, /\r\nconnection: close\r\n/i);
  });

  test("refuses a chunked body once it is too large", async () => {
    await using client = await RawClient.connect(server);
    client.send(
      "POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n",
    );
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 413 /);
  });

  test("keeps the connection when a handler ignores a small body", async () => {
    await using client = await RawClient.connect(server);
    assert.equal((await client.exchange(post("/ignore", "x".repeat(1_000)))).body, "ignored");
    assert.equal((await client.exchange(post("/none", "x".repeat(1_000)))).status, 404);
    assert.equal((await client.exchange(get("/hello"))).body, "hello");
  });

  test("answers JSON that isn't with 400, and another content type with 415", async () => {
    await using client = await RawClient.connect(server);
    const json = "Content-Type: application/json";
    assert.equal((await client.exchange(post("/json", '{"a":1}', json))).body, '{"got":{"a":1}}');
    assert.equal((await client.exchange(post("/json", "{a:1}", json))).status, 400);
    const text = "Content-Type: text/plain";
    assert.equal((await client.exchange(post("/json", '{"a":1}', text))).status, 415);
  });

  test("closes after an HTTP/1.0 request, unless asked to keep alive", async () => {
    await using once = await RawClient.connect(server);
    once.send("GET /hello HTTP/1.0\r\n\r\n");
    assert.match(await once.untilEnd(), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nhello$/i);
    assert.match(once.text, /\r\nconnection: close\r\n/i);
    await using kept = await RawClient.connect(server);
    const answer = await kept.exchange("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert.match(answer.head, /\r\nconnection: keep-alive(\r\n|$)/i);
    assert.equal((await kept.exchange(get("/hello"))).body, "hello");
  });

  test("ends a stream for an HTTP/1.0 client by closing, without chunks", async () => {
    await using client = await RawClient.connect(server);
    client.send("GET /stream/2/3 HTTP/1.0\r\n\r\n");
    assert.match(await client.untilEnd(), /\r\n\r\naaabbb$/);
  });

  test("refuses what isn't HTTP and closes", async () => {
    for (const [bytes, status] of [
      ["nonsense\r\n\r\n", 400],
      ["GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400],
      ["GET / HTTP/1.1\r\n\r\n", 400],
      ["GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505],
      [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
      ],
      [`GET /${"a".repeat(9_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
      [`GET / HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(20_000)}\r\n\r\n`, 431],
    ] as const) {
      await using client = await RawClient.connect(server);
      client.send(bytes);
      const text = await client.untilEnd();
      assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `), bytes.slice(0, 40));
      assert.match(text, /\r\nconnection: close\r\n/i);
    }
  });

  test("answers what came before a broken request, then refuses it", async () => {
    await using client = await RawClient.connect(server);
    client.send(get("/sleep/30") + "broken\r\n\r\n" + get("/hello"));
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 200 OK[^]*sleptHTTP\/1\.1 400 Bad Request/i);
    assert.doesNotMatch(client.text, /hello/);
  });

  test("answers a client that has closed its side", async () => {
    await using client = await RawClient.connect(server, { allowHalfOpen: true });
    client.socket.end(get("/sleep/30"));
    assert.match(await client.untilEnd(), /\r\n\r\nslept$/i);
    assert.match(client.text, /\r\nconnection: close\r\n/i);
  });

  test("serves routes on the edge, streams and bodies too", async () => {
    await using client = await RawClient.connect(server);
    assert.equal((await client.exchange(get("/edge"))).body, "edge 0");
    assert.match(
      (await client.exchange(get("/edge-stream"))).body,
      /line 0\n[^]*line 1\n[^]*line 2\n/,
    );
    assert.equal((await client.exchange(post("/edge-echo", "abc"))).body, "abc");
  });

  test("knows the client's address", async () => {
    await using client = await RawClient.connect(server);
    assert.equal((await client.exchange(get("/ip"))).body, "127.0.0.1");
  });
});
