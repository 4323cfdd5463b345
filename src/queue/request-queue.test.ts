import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../core/clock.ts";
import { ConfigError, MillraceError } from "../core/errors.ts";
import {
  PRIORITY_MAX,
  PRIORITY_MIN,
  RequestQueue,
  isPriority,
  type Queued,
} from "./request-queue.ts";

interface Item extends Queued {
  readonly name: string;
}

function item(name: string, expiresAtMs = 1_000, priority = 0): Item {
  return { name, expiresAtMs, priority, queueSlot: -1, queueOrder: 0 };
}

function setUp(queuedMax = 100, onExpired?: (item: Item) => void) {
  const clock = new ManualClock();
  const expired: string[] = [];
  const queue = new RequestQueue<Item>({
    queuedMax,
    clock,
    onExpired: onExpired ?? ((item) => expired.push(item.name)),
  });
  return { clock, queue, expired };
}

function takeAll(queue: RequestQueue<Item>): string[] {
  const names: string[] = [];
  for (let next = queue.take(); next !== undefined; next = queue.take()) names.push(next.name);
  return names;
}

test("RequestQueue takes the highest priority, then earliest deadline, then first come", () => {
  const { queue } = setUp();
  for (const [name, expiresAtMs, priority] of [
    ["late", 30, 0],
    ["first", 20, 0],
    ["second", 20, 0],
    ["low", 1, PRIORITY_MIN],
    ["high", 99, PRIORITY_MAX],
    ["early", 10, 0],
    ["never", Infinity, 0],
  ] as const) {
    assert.equal(queue.push(item(name, expiresAtMs, priority)), true);
  }
  assert.equal(queue.size, 7);
  assert.deepEqual(takeAll(queue), ["high", "early", "first", "second", "late", "never", "low"]);
  assert.equal(queue.size, 0);
  assert.equal(queue.take(), undefined);
});

test("RequestQueue refuses when full, until one leaves", () => {
  const { queue, expired } = setUp(2);
  assert.deepEqual([queue.push(item("a")), queue.push(item("b"))], [true, true]);
  const third = item("c");
  assert.equal(queue.push(third), false);
  assert.equal(third.queueSlot, -1);
  assert.equal(queue.size, 2);
  queue.take();
  assert.equal(queue.push(third), true);
  assert.deepEqual(expired, []);
});

test("RequestQueue refuses everything with a bound of 0", () => {
  assert.equal(setUp(0).queue.push(item("a")), false);
});

test("RequestQueue makes room from expired items when full", () => {
  const { queue, clock, expired } = setUp(2);
  queue.push(item("a", 10));
  queue.push(item("b", 30));
  clock.advance(11);
  assert.equal(queue.push(item("c", 30)), true);
  assert.deepEqual(expired, ["a"]);
  assert.equal(queue.push(item("d", 30)), false);
});

test("RequestQueue lets an item start at its deadline but not after", () => {
  const { queue, clock, expired } = setUp();
  queue.push(item("a", 10));
  queue.push(item("b", 10));
  clock.advance(10);
  assert.equal(queue.expire(), 0);
  assert.equal(queue.take()?.name, "a");
  clock.advance(0.5);
  assert.equal(queue.take(), undefined);
  assert.deepEqual(expired, ["b"]);
  assert.equal(queue.size, 0);
});

test("RequestQueue take passes over expired items of a higher priority", () => {
  const { queue, clock, expired } = setUp();
  queue.push(item("high", 5, 3));
  queue.push(item("low", 50, -3));
  queue.push(item("lowest", 5, -4));
  clock.advance(6);
  assert.equal(queue.take()?.name, "low");
  assert.deepEqual(expired, ["high"]);
  assert.equal(queue.take(), undefined);
  assert.deepEqual(expired, ["high", "lowest"]);
});

test("RequestQueue expire finds the expired of every priority, also behind others", () => {
  const { queue, clock, expired } = setUp();
  for (let priority = PRIORITY_MIN; priority <= PRIORITY_MAX; priority += 1) {
    queue.push(item(`long ${priority}`, 100, priority));
    queue.push(item(`short ${priority}`, 10, priority));
  }
  clock.advance(11);
  assert.equal(queue.expire(), 17);
  assert.equal(expired[0], "short 8");
  assert.equal(expired[16], "short -8");
  assert.ok(expired.every((name) => name.startsWith("short")));
  assert.equal(queue.expire(), 0);
  assert.equal(queue.size, 17);
  clock.advance(90);
  assert.equal(queue.expire(), 17);
});

test("RequestQueue expire still works after the earliest has left and another has come", () => {
  const { queue, clock, expired } = setUp();
  queue.push(item("a", 10));
  queue.push(item("b", 20));
  queue.take();
  clock.advance(11);
  assert.equal(queue.expire(), 0);
  queue.push(item("c", 12));
  clock.advance(2);
  assert.equal(queue.expire(), 1);
  queue.drain();
  queue.push(item("d", 14));
  clock.advance(2);
  assert.equal(queue.expire(), 1);
  assert.deepEqual(expired, ["c", "d"]);
});

test("RequestQueue removes only what waits in it", () => {
  const { queue } = setUp();
  const other = setUp().queue;
  const [a, b, c] = [item("a"), item("b"), item("c", 5, 2)];
  for (const each of [a, b, c]) queue.push(each);
  assert.equal(other.remove(a), false);
  assert.equal(queue.remove(a), true);
  assert.equal(queue.remove(a), false);
  assert.equal(a.queueSlot, -1);
  assert.equal(queue.remove(c), true);
  assert.equal(queue.remove(item("new")), false);
  assert.deepEqual(takeAll(queue), ["b"]);
  assert.equal(queue.remove(b), false);
});

test("RequestQueue takes an item again once it has left", () => {
  const { queue } = setUp();
  const [a, b] = [item("a"), item("b")];
  queue.push(a);
  queue.push(b);
  queue.remove(a);
  assert.equal(queue.push(a), true);
  assert.deepEqual(takeAll(queue), ["b", "a"]);
});

test("RequestQueue drains everything in order, the expired too, and starts afresh", () => {
  const { queue, clock, expired } = setUp(4);
  const items = [item("c", 30), item("b", 20), item("d", 10, -1), item("a", 40, 1)];
  for (const each of items) queue.push(each);
  clock.advance(25);
  const drained = queue.drain();
  assert.deepEqual(
    drained.map(({ name }) => name),
    ["a", "b", "c", "d"],
  );
  assert.ok(items.every(({ queueSlot }) => queueSlot === -1));
  assert.deepEqual([queue.size, queue.expire(), expired.length], [0, 0, 0]);
  assert.deepEqual(queue.drain(), []);
  assert.equal(queue.push(item("e", 30)), true);
  assert.deepEqual(takeAll(queue), ["e"]);
});

test("RequestQueue may be used from onExpired, and ends if that pushes what has expired", () => {
  const { queue, clock } = setUp(100, (expired) => {
    assert.equal(expired.queueSlot, -1);
    assert.equal(queue.remove(expired), false);
    assert.equal(queue.push(item(expired.name + "'", expired.expiresAtMs)), true);
  });
  queue.push(item("a", 1));
  queue.push(item("b", 1, 1));
  clock.advance(2);
  assert.equal(queue.expire(), 2);
  assert.equal(queue.size, 2);
  assert.equal(queue.expire(), 2);
});

test("RequestQueue keeps the rest when onExpired throws", () => {
  const { queue, clock } = setUp(100, ({ name }) => {
    if (name === "a") throw new Error("from onExpired");
  });
  for (const name of ["a", "b", "c"]) queue.push(item(name, 1));
  clock.advance(2);
  assert.throws(() => queue.expire(), /from onExpired/);
  assert.equal(queue.size, 2);
  assert.equal(queue.expire(), 2);
});

test("RequestQueue refuses priorities out of range, a NaN deadline and an item twice", () => {
  const { queue } = setUp();
  for (const priority of [PRIORITY_MIN - 1, PRIORITY_MAX + 1, 0.5, NaN, Infinity]) {
    assert.equal(isPriority(priority), false);
    assert.throws(
      () => queue.push(item("a", 1, priority)),
      (error) => error instanceof ConfigError && error.code === "QUEUE_PRIORITY",
    );
  }
  assert.throws(
    () => queue.push(item("a", NaN)),
    (error) => error instanceof ConfigError && error.code === "QUEUE_DEADLINE",
  );
  const a = item("a");
  queue.push(a);
  assert.throws(
    () => queue.push(a),
    (error) => error instanceof MillraceError && error.code === "QUEUE_TWICE",
  );
  assert.equal(queue.size, 1);
});

test("RequestQueue refuses a bound that is no integer from 0", () => {
  for (const queuedMax of [-1, 1.5, NaN, Infinity]) {
    assert.throws(
      () => setUp(queuedMax),
      (error) => error instanceof ConfigError && error.code === "QUEUE_MAX",
    );
  }
});
