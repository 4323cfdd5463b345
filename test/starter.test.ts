import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createServer, type Server } from "../src/server.ts";
import { get, post, RawClient } from "./support/raw-client.ts";

const starterApp = new URL("../examples/starter/app.ts", import.meta.url);

describe("The starter", () => {
  let server: Server;

  before(async () => {
    server = createServer({ app: starterApp, host: "127.0.0.1", port: 0, workers: 2 });
    await server.start();
  });

  after(async () => {
    await server[Symbol.asyncDispose]();
  });

  async function json(path: string, init?: RequestInit): Promise<unknown> {
    const response = await server.inject(path, init);
    assert.equal(response.headers.get("content-type"), "application/json");
    return response.json();
  }

  async function echo(body: string | undefined, type?: string): Promise<unknown> {
    return json("/api/echo", {
      method: "POST",
      ...(body !== undefined && { body }),
      ...(type !== undefined && { headers: { "content-type": type } }),
    });
  }

  test("greets the name in the query, and the world without one", async () => {
    assert.deepEqual(await json("/api/hello?name=Ada%20L."), { message: "Hello, Ada L.!" });
    assert.deepEqual(await json("/api/hello"), { message: "Hello, World!" });
  });

  test("tells the time", async () => {
    const { time } = (await json("/api/time")) as { time: string };
    assert.equal(new Date(time).toISOString(), time);
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000);
  });

  test("echoes a body that is JSON parsed, whatever its content type says", async () => {
    const form = "application/x-www-form-urlencoded";
    assert.deepEqual(await echo('{"a":[1,null]}', "application/json"), { echo: { a: [1, null] } });
    assert.deepEqual(await echo('{"a":[1,null]}', form), { echo: { a: [1, null] } });
    assert.deepEqual(await echo("7"), { echo: 7 });
  });

  test("echoes any other body as text, and an empty one as an empty string", async () => {
    assert.deepEqual(await echo("{not JSON", "application/json"), { echo: "{not JSON" });
    assert.deepEqual(await echo("Grüße"), { echo: "Grüße" });
    assert.deepEqual(await echo(""), { echo: "" });
    assert.deepEqual(await echo(undefined), { echo: "" });
  });

  test("counts primes", async () => {
    const { n, count } = (await json("/api/primes/100")) as { n: number; count: number };
    assert.deepEqual({ n, count }, { n: 100, count: 25 });
    assert.equal(((await json("/api/primes/2")) as { count: number }).count, 1);
    assert.equal(((await json("/api/primes/0")) as { count: number }).count, 0);
  });

  test("refuses to count primes to nonsense, or for too long", async () => {
    for (const n of ["x", "-1", "1.5", "1e3", "0x10", "%20", "10000001", "99999999999999999999"]) {
      const response = await server.inject(`/api/primes/${n}`);
      assert.equal(response.status, 400, n);
      const { detail } = (await response.json()) as { detail: string };
      assert.equal(detail, "Give a whole number from 0 to 10000000");
    }
  });

  test("answers /now on the edge", async () => {
    assert.equal(await (await server.inject("/now")).text(), "inline on the edge loop");
  });

  test("streams lines one by one", async () => {
    const response = await fetch(`${server.url}/api/stream`);
    const pieces: string[] = [];
    const startMs = performance.now();
    for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      pieces.push(piece);
      if (pieces.length === 3) break; // cancels the rest
    }
    assert.match(pieces.join(""), /^(line \d of 10, sent at [\d:.]+\n){3}$/);
    assert.ok(performance.now() - startMs > 500, "the lines came all at once");
  });

  test("serves its page at / and what the page needs", async () => {
    const page = await server.inject("/");
    assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
    const text = await page.text();
    assert.match(text, /<title>Millrace is running<\/title>/);
    assert.doesNotMatch(text, /(?:src|href)="https?:/, "the page needs nothing from elsewhere");
    const types = new Map([
      ["/index.html", "text/html"],
      ["/style.css", "text/css"],
      ["/app.js", "text/javascript"],
      ["/ping.js", "text/javascript"],
      ["/favicon.svg", "image/svg+xml"],
    ]);
    for (const [path, type] of types) {
      const response = await server.inject(path);
      assert.equal(response.status, 200, path);
      assert.ok(response.headers.get("content-type")?.startsWith(type), path);
    }
  });

  test("serves nothing from outside its folder", async () => {
    await using client = await RawClient.connect(server);
    for (const path of ["/../app.ts", "/..%2fapp.ts", "/%2e%2e/app.ts", "/..%5capp.ts"]) {
      await using fresh = await RawClient.connect(server);
      const { status, body } = await fresh.exchange(get(path));
      assert.ok(status === 400 || status === 404, `${path}: ${status}`);
      assert.doesNotMatch(body, /countPrimes/);
    }
    assert.equal((await client.exchange(get("/app.ts"))).status, 404);
  });

  test("answers over a socket what curl sends", async () => {
    await using client = await RawClient.connect(server);
    const hello = await client.exchange(get("/api/hello?name=curl", "User-Agent: curl/8.0"));
    assert.equal(hello.body, `{"message":"Hello, curl!"}`);
    const form = "Content-Type: application/x-www-form-urlencoded";
    assert.equal((await client.exchange(post("/api/echo", "[1]", form))).body, `{"echo":[1]}`);
    assert.equal((await client.exchange(post("/api/echo", "a=1", form))).body, `{"echo":"a=1"}`);
    assert.equal((await client.exchange(post("/api/echo", ""))).body, `{"echo":""}`);
    assert.equal((await client.exchange(get("/now"))).body, "inline on the edge loop");
  });
});
