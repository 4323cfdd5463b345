import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createServer, type Server } from "../../src/server.ts";
import { RawClient, get } from "../support/raw-client.ts";
import { fixtureApp, serve } from "../support/serve.ts";

describe("Workers", () => {
  test("run handlers in parallel, none on the main thread", async () => {
    await using server = await serve({ workers: 3 });
    await server.ready();
    const ask = (): Promise<string> => text(server.url, "/busy-thread");
    await ask();
    const threads = await Promise.all(Array.from({ length: 12 }, ask));
    assert.equal(new Set(threads).size, 3);
    assert.ok(!threads.includes("0"));
  });

  test("that die take down only what they had started", async () => {
    await using server = await serve({ workers: 1 });
    const started = fetch(`${server.url}/exit-later`);
    const beside = fetch(`${server.url}/sleep/5000`);
    await sleep(30);
    const first = await started;
    const second = await beside;
    assert.equal(first.status, 502);
    assert.equal(second.status, 502);
    assert.equal(await text(server.url, "/hello"), "hello");
  });

  test("that die hand on what they were sent and had not started", async () => {
    await using server = await serve({ workers: 1 });
    await using client = await RawClient.connect(server);
    // One batch: the worker starts the first, which ends it; the others are in its hands,
    // unstarted.
    client.send(get("/exit") + get("/hello").repeat(4) + get("/hello", "Connection: close"));
    const answers = await client.untilEnd();
    assert.match(answers, /^HTTP\/1\.1 502 Bad Gateway/);
    assert.equal(answers.split("HTTP/1.1 200 OK").length - 1, 5);
  });

  test("that die in the middle of a stream cut it", async () => {
    await using server = await serve({ workers: 1 });
    await using client = await RawClient.connect(server);
    client.send(get("/ticks"));
    await client.until((received) => received.includes("tick 1"));
    await fetch(`${server.url}/exit`);
    const received = await client.untilEnd();
    assert.doesNotMatch(received, /0\r\n\r\n$/);
  });

  test("are replaced, and their end is told", async () => {
    const gone: number[] = [];
    await using server = await serve({ workers: 2, events: { workerGone: (id) => gone.push(id) } });
    await server.ready();
    for (let n = 0; n < 3; n++) assert.equal((await fetch(`${server.url}/exit`)).status, 502);
    await sleep(400);
    await server.ready();
    assert.equal(gone.length, 3);
    assert.equal(server.workerCount, 2);
    assert.equal(await text(server.url, "/hello"), "hello");
  });

  test("end on an uncaught exception, and only they", async () => {
    const causes: (Error | null)[] = [];
    await using server = await serve({
      workers: 1,
      events: { workerGone: (_id, cause) => causes.push(cause) },
    });
    assert.equal((await fetch(`${server.url}/uncaught`)).status, 502);
    assert.match(String(causes[0]), /nobody catches this/);
  });

  test("outlive a rejection that nobody handles", async () => {
    const gone: number[] = [];
    await using server = await serve({ workers: 1, events: { workerGone: (id) => gone.push(id) } });
    assert.equal(await text(server.url, "/reject"), "answered");
    await sleep(50);
    assert.equal(await text(server.url, "/hello"), "hello");
    assert.deepEqual(gone, []);
  });

  test("leave the edge free while they all spin", async () => {
    await using server = await serve({ workers: 2 });
    await server.ready();
    const spinning = [0, 1].map(() => fetch(`${server.url}/burn/600`));
    await sleep(50);
    let answered = false;
    void Promise.all(spinning).then(() => (answered = true));
    assert.match(await text(server.url, "/edge"), /^edge 0$/);
    assert.equal(answered, false);
    await Promise.all(spinning);
  });

  test("grow from min to max while requests wait", async () => {
    await using server = await serve({
      workers: { min: 1, max: 3 },
      limits: { concurrency: 1, unstartedMax: 1 },
    });
    assert.equal(server.workerCount, 1);
    await Promise.all(Array.from({ length: 9 }, () => text(server.url, "/sleep/150")));
    assert.equal(server.workerCount, 3);
  });
});

describe("The request queue", () => {
  test("refuses at once when it is full, with Retry-After", async () => {
    await using server = await serve({
      workers: 1,
      limits: { concurrency: 1, unstartedMax: 1, queuedMax: 2 },
    });
    const running = Array.from({ length: 3 }, () => fetch(`${server.url}/sleep/300`));
    await sleep(100);
    const refused = await fetch(`${server.url}/hello`);
    assert.equal(refused.status, 503);
    assert.match(refused.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
    const statuses = (await Promise.all(running)).map((response) => response.status);
    assert.deepEqual(statuses, [200, 200, 200]);
  });

  test("refuses what waited too long, and never starts it", async () => {
    await using server = await serveOneAtATime();
    const running = fetch(`${server.url}/sleep/900`);
    await sleep(50);
    const late = await fetch(`${server.url}/impatient`);
    assert.equal(late.status, 503);
    assert.ok(late.headers.has("retry-after"));
    await running;
    assert.equal(await text(server.url, "/started"), "0");
  });

  test("drops what nobody waits for any more", async () => {
    await using server = await serveOneAtATime();
    const running = fetch(`${server.url}/sleep/300`);
    await sleep(50);
    {
      await using client = await RawClient.connect(server);
      client.send(get("/counted"));
      await sleep(50);
      client.socket.resetAndDestroy();
    }
    await running;
    assert.equal(await text(server.url, "/started"), "0");
  });

  test("takes the higher priority first", async () => {
    await using server = await serveOneAtATime();
    const running = fetch(`${server.url}/sleep/200`);
    await sleep(50);
    const order: string[] = [];
    const paths = ["/low", "/normal", "/high"];
    const waiting = paths.map(async (path) => order.push(await text(server.url, path)));
    await Promise.all([running, ...waiting]);
    assert.deepEqual(order, ["high", "normal", "low"]);
  });
});

describe("An application that can't be loaded", () => {
  for (const [file, cause] of [
    ["missing.ts", /missing\.ts/],
    ["throws-at-load.ts", /no database today/],
    ["no-default-export.ts", /no default export/],
    ["wrong-export.ts", /default export is something else/],
    ["enum.ts", /--import/],
    ["colliding.ts", /colliding\.ts:\d+[^]*colliding\.ts:\d+/],
  ] as const) {
    test(`fails the start with one error that says why: ${file}`, async () => {
      const app = new URL(`../fixtures/broken/${file}`, import.meta.url);
      const server = createServer({ app, port: 0, host: "127.0.0.1" });
      await assert.rejects(server.start(), (error: Error & { code?: string }) => {
        assert.equal(error.code, "APP_LOAD");
        assert.ok(error.message.includes(fileURLToPath(app)), error.message);
        assert.match(error.message, cause);
        return true;
      });
    });
  }
});

describe("createServer", () => {
  test("runs an application object on the edge, without workers", async () => {
    const { default: application } = (await import(fixtureApp.href)) as { default: never };
    await using server = createServer({ app: application, port: 0, host: "127.0.0.1" });
    await server.start();
    assert.equal(server.workerCount, 0);
    assert.equal(await text(server.url, "/thread"), "0");
    assert.equal(await text(server.url, "/users/5"), '{"id":"5","query":null}');
  });

  test("refuses a port that isn't one", () => {
    assert.throws(() => createServer({ app: fixtureApp, port: 70_000 }), { code: "PORT_RANGE" });
  });

  test("says when the address is in use", async () => {
    await using first = await serve();
    const port = Number(new URL(first.url).port);
    const second = createServer({ app: fixtureApp, host: "127.0.0.1", port, workers: 1 });
    await assert.rejects(second.start(), { code: "LISTEN", message: /in use/ });
  });
});

async function text(base: string, path: string): Promise<string> {
  return (await fetch(base + path)).text();
}

/** A server with one worker that takes one request at a time. */
function serveOneAtATime(): Promise<Server> {
  return serve({
    app: new URL("../fixtures/impatient-app.ts", import.meta.url),
    workers: 1,
    limits: { concurrency: 1, unstartedMax: 1 },
  });
}
