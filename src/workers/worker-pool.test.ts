import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../core/clock.ts";
import { fixtureUrl } from "../../test/support/fixture-url.ts";
import type { WorkerHandle, WorkerRequest } from "./worker-handle.ts";
import { WorkerPool, type WorkerPoolEvents, type WorkerPoolOptions } from "./worker-pool.ts";

/** Light requests that one worker gets in one turn, as worker-pool.ts has it. */
const togetherMax = 64;

/** Idle time after which a pool shrinks, as worker-pool.ts has it. */
const idleShrinkMs = 30_000;

// Else a report looks up the name of every address that a socket is connected to.
Object.assign(process.report, { excludeNetwork: true });

/** A pool of the fixture application, once all its workers are up. */
async function startPool(
  options: Partial<Omit<WorkerPoolOptions, "events">> & { events?: Partial<WorkerPoolEvents> } = {},
): Promise<WorkerPool> {
  const pool = new WorkerPool({
    appUrl: fixtureUrl("app.ts"),
    imports: [],
    workers: { min: 1, max: 1 },
    concurrency: 1_024,
    unstartedMax: 64,
    clock: systemClock,
    ...options,
    events: { onRoom() {}, ...options.events },
  });
  await pool.start();
  await pool.filled();
  return pool;
}

/** A request that notes what becomes of it. */
class TestRequest implements WorkerRequest {
  readonly handlerIndex: number;
  readonly method = "GET";
  readonly target: string;
  readonly headerText = "";
  readonly ip = "::1";
  readonly wholeBody = "";
  worker: WorkerHandle | null = null;
  workerSlot = -1;
  workerOrder = 0;
  readonly open = true;
  readonly #outcome = Promise.withResolvers<string>();

  constructor(pool: WorkerPool, pattern: string, target: string) {
    this.handlerIndex = pool.manifest.routes.findIndex((route) => route.pattern === pattern);
    assert.notEqual(this.handlerIndex, -1);
    this.target = target;
  }

  /** The answer's body, or how the worker's end was told. */
  get outcome(): Promise<string> {
    return this.#outcome.promise;
  }
  answer(_status: number, _headerText: string, body: string): void {
    this.#outcome.resolve(body);
  }
  workerLost(started: boolean): void {
    this.#outcome.resolve(started ? "lost, started" : "lost, not started");
  }
  start(): void {}
  write(): undefined {}
  end(): void {}
  fail(): void {}
  dispatched(): void {}
  bodyRead(): void {}
}

/** Sends a request to the worker that the pool picks; null when it picks none. */
function send(pool: WorkerPool, pattern: string, target = pattern): TestRequest | null {
  const request = new TestRequest(pool, pattern, target);
  const worker = pool.pick(request.handlerIndex);
  worker?.send(request);
  return worker === null ? null : request;
}

/** Sends many in one turn; all must find a worker. */
function sendAll(pool: WorkerPool, count: number, pattern: string, target = pattern) {
  return Array.from({ length: count }, () => {
    const request = send(pool, pattern, target);
    assert.ok(request !== null && request.worker !== null);
    return { outcome: request.outcome, workerId: request.worker.id };
  });
}

/** Has the pool learn that `/burn` is heavy. */
async function learnThatBurnIsHeavy(pool: WorkerPool): Promise<void> {
  for (let n = 0; n < 3; n++) await send(pool, "/burn/:ms", "/burn/5")?.outcome;
  // The answer of a heavy one leaves before its thread counts as free again.
  await sleep(20);
}

function outcomes(sent: readonly { readonly outcome: Promise<string> }[]): Promise<string[]> {
  return Promise.all(sent.map(({ outcome }) => outcome));
}

describe("WorkerPool", () => {
  test("gives the light requests of a turn to one worker", async () => {
    await using pool = await startPool({ workers: { min: 3, max: 3 } });
    assert.equal(pool.readyCount, 3);
    // Warm: the first few of any handler are slow, and could make it look heavy.
    for (let n = 0; n < 10; n++) await outcomes(sendAll(pool, 3 * togetherMax, "/thread"));
    for (const round of ["first", "second"]) {
      const threads = await outcomes(sendAll(pool, 20, "/thread"));
      assert.equal(new Set(threads).size, 1, `${round} round: ${threads.join()}`);
    }
  });

  test("gives one worker no more than 64 light requests of a turn", async () => {
    await using pool = await startPool({ workers: { min: 3, max: 3 } });
    const sent = sendAll(pool, 3 * togetherMax, "/thread");
    const byWorker = Map.groupBy(sent, ({ workerId }) => workerId);
    assert.deepEqual(
      [...byWorker.values()].map(({ length }) => length),
      [togetherMax, togetherMax, togetherMax],
    );
    assert.equal(new Set(await outcomes(sent)).size, 3);
  });

  test("gives the heavy requests of a turn to one worker after another", async () => {
    await using pool = await startPool({ workers: { min: 3, max: 3 } });
    await learnThatBurnIsHeavy(pool);
    const sent = sendAll(pool, 6, "/burn/:ms", "/burn/5");
    const byWorker = Map.groupBy(sent, ({ workerId }) => workerId);
    assert.deepEqual(
      [...byWorker.values()].map(({ length }) => length),
      [2, 2, 2],
    );
    await outcomes(sent);
  });

  test("gives light requests to a worker that isn't held by a heavy one", async () => {
    await using pool = await startPool({ workers: { min: 2, max: 2 } });
    await learnThatBurnIsHeavy(pool);
    const [heavy] = sendAll(pool, 1, "/burn/:ms", "/burn/200");
    await sleep(50);
    const light = sendAll(pool, 5, "/thread");
    assert.ok(light.every(({ workerId }) => workerId !== heavy?.workerId));
    await outcomes(light);
    await heavy?.outcome;
  });

  test("picks no worker that holds as many requests as it may, until one is answered", async () => {
    await using pool = await startPool({ concurrency: 2 });
    const sent = sendAll(pool, 2, "/sleep/:ms", "/sleep/100");
    assert.equal(pool.hasRoom, false);
    assert.equal(send(pool, "/hello"), null);
    await outcomes(sent);
    assert.equal(pool.hasRoom, true);
    assert.equal(await send(pool, "/hello")?.outcome, "hello");
  });

  for (const weight of ["heavy", "light"] as const) {
    test(`gives no worker more ${weight} requests unstarted than it may hold`, async () => {
      await using pool = await startPool({ workers: { min: 2, max: 2 }, unstartedMax: 3 });
      if (weight === "heavy") await learnThatBurnIsHeavy(pool);
      const [pattern, target] =
        weight === "heavy" ? ["/burn/:ms", "/burn/1"] : ["/hello", "/hello"];
      const sent: TestRequest[] = [];
      for (let n = 0; n < 20; n++) {
        const request = send(pool, pattern, target);
        if (request !== null) sent.push(request);
      }
      const byWorker = Map.groupBy(sent, ({ worker }) => worker?.id);
      assert.deepEqual(
        [...byWorker.values()].map(({ length }) => length),
        [3, 3],
      );
      assert.equal(pool.hasRoom, false);
      await outcomes(sent);
      assert.equal(pool.hasRoom, true);
    });
  }

  test("is told of progress when a worker starts what it holds, if it asked", async () => {
    let roomCount = 0;
    await using pool = await startPool({ unstartedMax: 1, events: { onRoom: () => roomCount++ } });
    const request = send(pool, "/sleep/:ms", "/sleep/300");
    assert.equal(pool.hasRoom, false);
    const before = roomCount;
    pool.requestRoom();
    await eventually(() => roomCount > before);
    assert.equal(pool.hasRoom, true, "it has started, and is not answered yet");
    assert.equal(await request?.outcome, "slept");
  });
});

describe("WorkerPool, when a worker ends,", () => {
  test("tells it, tells its requests whether they had started, and replaces it", async () => {
    const gone: number[] = [];
    await using pool = await startPool({
      workers: { min: 2, max: 2 },
      events: { onWorkerGone: (worker) => gone.push(worker.id) },
    });
    // All to one worker, which starts them in order; the third ends it.
    const sent = [
      ...sendAll(pool, 1, "/hello"),
      ...sendAll(pool, 1, "/sleep/:ms", "/sleep/5000"),
      ...sendAll(pool, 1, "/exit"),
      ...sendAll(pool, 2, "/hello"),
    ];
    const [dying] = sent;
    assert.equal(new Set(sent.map(({ workerId }) => workerId)).size, 1);
    const [answered, ...lost] = await outcomes(sent);
    assert.ok(answered === "hello" || answered === "lost, started", answered);
    assert.deepEqual(lost, [
      "lost, started",
      "lost, started",
      "lost, not started",
      "lost, not started",
    ]);
    assert.deepEqual(gone, [dying?.workerId]);
    await eventually(() => pool.readyCount === 2);
    const after = await outcomes(sendAll(pool, 4, "/hello"));
    assert.deepEqual(after, ["hello", "hello", "hello", "hello"]);
  });

  test("picks it no more, even before its replacement is up", async () => {
    let picked: unknown = "not asked";
    await using pool = await startPool({
      events: { onWorkerGone: () => (picked = pool.pick(0)) },
    });
    await send(pool, "/exit")?.outcome;
    assert.equal(picked, null);
  });

  test("tells its cause", async () => {
    const causes: (Error | null)[] = [];
    await using pool = await startPool({
      events: { onWorkerGone: (_worker, cause) => causes.push(cause) },
    });
    await send(pool, "/uncaught")?.outcome;
    assert.match(String(causes[0]), /nobody catches this/);
  });
});

describe("WorkerPool", () => {
  test("refuses a worker that declares other routes than the first", async () => {
    const failures: { cause: Error & { code?: string }; retryMs: number }[] = [];
    await using pool = await startPool({
      appUrl: fixtureUrl("changing-app.ts"),
      workers: { min: 2, max: 2 },
      events: { onStartFailed: (cause, retryMs) => failures.push({ cause, retryMs }) },
    });
    const pattern = pool.manifest.routes[0]?.pattern ?? "";
    await eventually(() => failures.length >= 3);
    assert.equal(failures[0]?.cause.code, "MANIFEST_DIFFERS");
    assert.match(failures[0]?.cause.message ?? "", /same routes/);
    assert.deepEqual(
      failures.slice(0, 3).map(({ retryMs }) => retryMs),
      [0, 100, 200],
    );
    assert.equal(pool.readyCount, 1);
    assert.equal(await send(pool, pattern)?.outcome, "here", "the first still serves");
  });

  test("rejects its start when the application can't be loaded, and leaves nothing", async () => {
    const before = threadCount();
    const appUrl = fixtureUrl("broken/throws-at-load.ts");
    await assert.rejects(startPool({ appUrl }), { code: "APP_LOAD" });
    await eventually(() => threadCount() === before);
  });

  test("grows by one worker at a time while requests wait, up to its most", async () => {
    await using pool = await startPool({ workers: { min: 1, max: 3 } });
    assert.equal(pool.readyCount, 1);
    for (const readyCount of [2, 3, 3]) {
      pool.requestRoom();
      pool.requestRoom();
      await pool.filled();
      assert.equal(pool.readyCount, readyCount);
    }
  });

  test("lets the workers above its fewest go one after another once they are idle", async () => {
    await using pool = await startPool({ workers: { min: 1, max: 3 } });
    for (let n = 0; n < 2; n++) {
      pool.requestRoom();
      await pool.filled();
    }
    const counts: number[] = [];
    for (let nowMs = 0; nowMs <= 4 * idleShrinkMs; nowMs += idleShrinkMs / 2) {
      pool.tick(nowMs);
      counts.push(pool.readyCount);
    }
    assert.deepEqual(counts, [3, 3, 2, 2, 1, 1, 1, 1, 1]);
    assert.equal(await send(pool, "/hello")?.outcome, "hello");
  });

  test("keeps a worker above its fewest while it is at something", async () => {
    await using pool = await startPool({ workers: { min: 1, max: 2 }, concurrency: 1 });
    pool.requestRoom();
    await pool.filled();
    const sent = sendAll(pool, 2, "/sleep/:ms", "/sleep/100");
    for (let nowMs = 0; nowMs <= 4 * idleShrinkMs; nowMs += idleShrinkMs) pool.tick(nowMs);
    assert.equal(pool.readyCount, 2);
    assert.deepEqual(await outcomes(sent), ["slept", "slept"]);
  });
});

describe("WorkerPool.drain", () => {
  test("waits until all that was sent is answered", async () => {
    await using pool = await startPool();
    let answered = false;
    void send(pool, "/sleep/:ms", "/sleep/150")?.outcome.then(() => (answered = true));
    await pool.drain(AbortSignal.timeout(5_000));
    await Promise.resolve();
    assert.equal(answered, true);
  });

  test("waits no longer than its deadline", async () => {
    await using pool = await startPool();
    void send(pool, "/sleep/:ms", "/sleep/5000");
    const startMs = performance.now();
    await pool.drain(AbortSignal.timeout(100));
    assert.ok(performance.now() - startMs < 2_000);
  });

  test("resolves at once when nothing is at work", async () => {
    await using pool = await startPool();
    await pool.drain(new AbortController().signal);
  });

  test("resolves when the worker it waits for ends", async () => {
    await using pool = await startPool();
    void send(pool, "/exit-later");
    await pool.drain(AbortSignal.timeout(5_000));
  });
});

describe("WorkerPool, disposed of,", () => {
  test("ends every thread and tells every request", async () => {
    const before = threadCount();
    await using pool = await startPool({ workers: { min: 3, max: 3 }, concurrency: 1 });
    assert.equal(threadCount(), before + 3);
    const sent = [
      ...sendAll(pool, 1, "/burn/:ms", "/burn/10000"),
      ...sendAll(pool, 2, "/sleep/:ms", "/sleep/10000"),
    ];
    await sleep(50);
    await pool[Symbol.asyncDispose]();
    assert.deepEqual(await outcomes(sent), ["lost, started", "lost, started", "lost, started"]);
    assert.equal(pool.readyCount, 0);
    await eventually(() => threadCount() === before);
  });

  test("ends the threads that are still starting", async () => {
    const before = threadCount();
    const pool = new WorkerPool({
      appUrl: fixtureUrl("app.ts"),
      imports: [],
      workers: { min: 3, max: 3 },
      concurrency: 1,
      unstartedMax: 1,
      clock: systemClock,
      events: { onRoom() {} },
    });
    const starting = assert.rejects(pool.start());
    await pool[Symbol.asyncDispose]();
    await starting;
    assert.equal(pool.readyCount, 0);
    await eventually(() => threadCount() === before);
  });

  test("picks no worker any more", async () => {
    await using pool = await startPool();
    assert.equal(await send(pool, "/hello")?.outcome, "hello");
    await pool[Symbol.asyncDispose]();
    assert.equal(pool.hasRoom, false);
    // Of a handler that never ran, so light as far as is known: it could join the last one's worker.
    assert.equal(pool.pick(1), null);
  });

  test("replaces nobody and tells of no end", async () => {
    const told: string[] = [];
    await using pool = await startPool({
      workers: { min: 2, max: 2 },
      events: {
        onWorkerGone: () => told.push("gone"),
        onStartFailed: () => told.push("start failed"),
      },
    });
    await pool[Symbol.asyncDispose]();
    await sleep(300);
    assert.deepEqual(told, []);
    assert.equal(pool.readyCount, 0);
  });
});

/** Worker threads of this process, by the system's account: `process.report` lists each. */
function threadCount(): number {
  return (process.report.getReport() as { workers: unknown[] }).workers.length;
}

async function eventually(check: () => boolean): Promise<void> {
  for (let n = 0; n < 150; n++) {
    if (check()) return;
    await sleep(20);
  }
  assert.fail("it did not happen within 3 s");
}
