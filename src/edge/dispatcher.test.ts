import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ManualClock } from "../core/clock.ts";
import type { WorkerPool } from "../workers/worker-pool.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Exchange, type AnswerOwner, type ExchangeRouter } from "./exchange.ts";

/** A pool with as much room as it is given, which notes what it is sent. */
class FakePool {
  room = 0;
  /** What the pool does when it is asked to tell of room. */
  onRequestRoom = (): void => {};
  readonly sent: string[] = [];
  roomRequests = 0;
  ticks: number[] = [];

  get hasRoom(): boolean {
    return this.room > 0;
  }
  pick(): { send(exchange: Exchange): void } | null {
    if (this.room === 0) return null;
    return {
      send: (exchange) => {
        this.room -= 1;
        this.sent.push(exchange.target);
      },
    };
  }
  requestRoom(): void {
    this.roomRequests += 1;
    this.onRequestRoom();
  }
  tick(nowMs: number): void {
    this.ticks.push(nowMs);
  }
}

function makeDispatcher({ room = 0, queuedMax = 10 } = {}) {
  const pool = new FakePool();
  pool.room = room;
  const clock = new ManualClock();
  const refused: { target: string; detail: string; retryAfterSeconds: number }[] = [];
  const dispatcher = new Dispatcher({
    pool: pool as unknown as WorkerPool,
    queuedMax,
    clock,
    refuse: ({ target }, detail, retryAfterSeconds) =>
      refused.push({ target, detail, retryAfterSeconds }),
  });
  return { dispatcher, pool, clock, refused };
}

describe("Dispatcher", () => {
  test("gives a request to a worker at once when one can start it", () => {
    const { dispatcher, pool } = makeDispatcher({ room: 1 });
    dispatcher.dispatch(exchangeFor("/a"));
    assert.deepEqual(pool.sent, ["/a"]);
    assert.equal(dispatcher.queued, 0);
    assert.equal(pool.roomRequests, 0);
  });

  test("has a request wait when none can, and asks to be told of room", () => {
    const { dispatcher, pool } = makeDispatcher();
    dispatcher.dispatch(exchangeFor("/a"));
    assert.deepEqual(pool.sent, []);
    assert.equal(dispatcher.queued, 1);
    assert.equal(pool.roomRequests, 1);
  });

  test("lets no newcomer pass what waits", () => {
    const { dispatcher, pool } = makeDispatcher();
    dispatcher.dispatch(exchangeFor("/first"));
    pool.room = 2;
    dispatcher.dispatch(exchangeFor("/second"));
    dispatcher.pump();
    assert.deepEqual(pool.sent, ["/first", "/second"]);
  });

  test("hands out as much as there is room for, the higher priority first", () => {
    const { dispatcher, pool } = makeDispatcher();
    for (const priority of [-1, 0, 1, 0]) {
      dispatcher.dispatch(exchangeFor(`/${priority}`, { priority }));
    }
    pool.room = 3;
    const requests = pool.roomRequests;
    dispatcher.pump();
    assert.deepEqual(pool.sent, ["/1", "/0", "/0"]);
    assert.equal(dispatcher.queued, 1);
    assert.equal(pool.roomRequests, requests + 1, "it asks again, as one still waits");
  });

  test("hands out what began to wait just as its worker got room", () => {
    const { dispatcher, pool } = makeDispatcher();
    // The worker started what it held between the look at it and the request to be told: it has
    // nothing left to start, so it will tell nothing.
    pool.onRequestRoom = () => (pool.room = 1);
    dispatcher.dispatch(exchangeFor("/a"));
    dispatcher.tick(100);
    assert.deepEqual(pool.sent, ["/a"]);
  });

  test("refuses what the queue can't take, and says when to try again", () => {
    const { dispatcher, pool, refused } = makeDispatcher({ queuedMax: 2 });
    for (const target of ["/a", "/b", "/c"]) dispatcher.dispatch(exchangeFor(target));
    assert.deepEqual(
      refused.map(({ target }) => target),
      ["/c"],
    );
    assert.match(refused[0]?.detail ?? "", /more requests waiting/);
    assert.ok(Number.isInteger(refused[0]?.retryAfterSeconds));
    assert.ok((refused[0]?.retryAfterSeconds ?? 0) >= 1);
    pool.room = 3;
    dispatcher.pump();
    assert.deepEqual(pool.sent, ["/a", "/b"]);
  });

  test("never starts a request that was removed", () => {
    const { dispatcher, pool } = makeDispatcher();
    const [kept, removed] = [exchangeFor("/kept"), exchangeFor("/removed")];
    for (const exchange of [removed, kept]) dispatcher.dispatch(exchange);
    dispatcher.remove(removed);
    dispatcher.remove(removed);
    assert.equal(dispatcher.queued, 1);
    pool.room = 2;
    dispatcher.pump();
    assert.deepEqual(pool.sent, ["/kept"]);
  });

  test("refuses what waited past its deadline, at the next tick, and never starts it", () => {
    const { dispatcher, pool, clock, refused } = makeDispatcher();
    dispatcher.dispatch(exchangeFor("/short", { expiresAtMs: 200 }));
    dispatcher.dispatch(exchangeFor("/long", { expiresAtMs: 900 }));
    clock.advance(200);
    dispatcher.tick(200);
    assert.equal(refused.length, 0);
    clock.advance(1);
    dispatcher.tick(201);
    assert.deepEqual(
      refused.map(({ target }) => target),
      ["/short"],
    );
    assert.match(refused[0]?.detail ?? "", /waited too long/);
    pool.room = 2;
    dispatcher.pump();
    assert.deepEqual(pool.sent, ["/long"]);
  });

  test("refuses what is past its deadline when its turn comes before the tick", () => {
    const { dispatcher, pool, clock, refused } = makeDispatcher();
    dispatcher.dispatch(exchangeFor("/late", { expiresAtMs: 200 }));
    clock.advance(201);
    pool.room = 1;
    dispatcher.pump();
    assert.deepEqual(pool.sent, []);
    assert.equal(refused.length, 1);
  });

  test("refuses all that waits when told so, each once", () => {
    const { dispatcher, pool, refused } = makeDispatcher();
    for (const target of ["/a", "/b"]) dispatcher.dispatch(exchangeFor(target));
    dispatcher.refuseAll("The server stops");
    assert.deepEqual(
      refused.map(({ target, detail }) => [target, detail]),
      [
        ["/a", "The server stops"],
        ["/b", "The server stops"],
      ],
    );
    pool.room = 2;
    dispatcher.pump();
    assert.deepEqual(pool.sent, []);
  });

  test("passes the tick on to the pool", () => {
    const { dispatcher, pool } = makeDispatcher();
    dispatcher.tick(123);
    assert.deepEqual(pool.ticks, [123]);
  });
});

function exchangeFor(target: string, set: Partial<Exchange> = {}): Exchange {
  // Neither is reached: no exchange of these tests is answered.
  const owner = {} as AnswerOwner;
  const router = {} as ExchangeRouter;
  return Object.assign(new Exchange(owner, router, "GET", target, "", "::1"), set);
}
