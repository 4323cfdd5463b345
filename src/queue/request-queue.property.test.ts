/** The queue against a list that is sorted anew each time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ManualClock } from "../core/clock.ts";
import { RequestQueue, type Queued } from "./request-queue.ts";

const QUEUED_MAX = 24;

interface Item extends Queued {
  readonly id: number;
}

interface Real {
  readonly queue: RequestQueue<Item>;
  readonly clock: ManualClock;
  /** What `onExpired` was told since the last look. */
  readonly expired: Item[];
  readonly items: Item[];
}

interface Model {
  /** Ids, in order of arrival. */
  waiting: number[];
  nowMs: number;
  /** Every item ever made, by id. */
  readonly made: { readonly priority: number; readonly expiresAtMs: number }[];
}

type Step = fc.Command<Model, Real>;

/** Waiting ids as `take` should give them, if time stood still. */
function inOrder(model: Model): number[] {
  const keyOf = (id: number) => {
    const { priority, expiresAtMs } = madeAt(model, id);
    return [-priority, expiresAtMs, model.waiting.indexOf(id)] as const;
  };
  return [...model.waiting].sort((a, b) => {
    const [keyA, keyB] = [keyOf(a), keyOf(b)];
    for (const i of [0, 1, 2] as const) if (keyA[i] !== keyB[i]) return keyA[i] - keyB[i];
    return 0;
  });
}

function madeAt(model: Model, id: number): Model["made"][number] {
  const made = model.made[id];
  assert.ok(made !== undefined);
  return made;
}

function isExpired(model: Model, id: number): boolean {
  return model.nowMs > madeAt(model, id).expiresAtMs;
}

function leave(model: Model, ids: readonly number[]): void {
  model.waiting = model.waiting.filter((id) => !ids.includes(id));
}

/**
 * After each step: what was told as expired, and what the items and the queue say of themselves.
 */
function check(model: Model, real: Real, expired: readonly number[]): void {
  const told = real.expired.splice(0).map(({ id }) => id);
  assert.deepEqual(told, expired);
  assert.equal(real.queue.size, model.waiting.length);
  for (const { id, queueSlot } of real.items) {
    assert.equal(queueSlot >= 0, model.waiting.includes(id), `slot of ${id}`);
  }
}

class Push implements Step {
  readonly priority: number;
  readonly timeoutMs: number;
  constructor(priority: number, timeoutMs: number) {
    this.priority = priority;
    this.timeoutMs = timeoutMs;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, real: Real): void {
    const id = model.made.length;
    const expiresAtMs = model.nowMs + this.timeoutMs;
    const item: Item = { id, priority: this.priority, expiresAtMs, queueSlot: -1, queueOrder: 0 };
    model.made.push(item);
    real.items.push(item);
    let expired: number[] = [];
    if (model.waiting.length === QUEUED_MAX) {
      expired = inOrder(model).filter((waiting) => isExpired(model, waiting));
      leave(model, expired);
    }
    const fits = model.waiting.length < QUEUED_MAX;
    if (fits) model.waiting.push(id);
    assert.equal(real.queue.push(item), fits);
    check(model, real, expired);
  }
  toString(): string {
    return `push(priority ${this.priority}, ${this.timeoutMs} ms)`;
  }
}

class Take implements Step {
  check(): boolean {
    return true;
  }
  run(model: Model, real: Real): void {
    const order = inOrder(model);
    const next = order.findIndex((id) => !isExpired(model, id));
    const passed = next === -1 ? order : order.slice(0, next);
    const taken = real.queue.take();
    assert.equal(taken?.id, order[next]);
    leave(model, [...passed, ...(taken === undefined ? [] : [taken.id])]);
    check(model, real, passed);
  }
  toString(): string {
    return "take";
  }
}

class Remove implements Step {
  readonly pick: number;
  constructor(pick: number) {
    this.pick = pick;
  }
  check(model: Readonly<Model>): boolean {
    return model.made.length > 0;
  }
  run(model: Model, real: Real): void {
    // One that waits, or with odd picks one of any state.
    const ids = this.pick % 2 === 0 ? model.waiting : model.made.map((_, id) => id);
    const item = real.items[ids[this.pick % ids.length] ?? 0];
    assert.ok(item !== undefined);
    const there = model.waiting.includes(item.id);
    assert.equal(real.queue.remove(item), there);
    leave(model, [item.id]);
    check(model, real, []);
  }
  toString(): string {
    return `remove(${this.pick})`;
  }
}

class Expire implements Step {
  check(): boolean {
    return true;
  }
  run(model: Model, real: Real): void {
    const expired = inOrder(model).filter((id) => isExpired(model, id));
    assert.equal(real.queue.expire(), expired.length);
    leave(model, expired);
    check(model, real, expired);
  }
  toString(): string {
    return "expire";
  }
}

class Advance implements Step {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, real: Real): void {
    model.nowMs += this.ms;
    real.clock.advance(this.ms);
  }
  toString(): string {
    return `advance(${this.ms} ms)`;
  }
}

class Drain implements Step {
  check(): boolean {
    return true;
  }
  run(model: Model, real: Real): void {
    const drained = real.queue.drain().map(({ id }) => id);
    assert.deepEqual(drained, inOrder(model));
    leave(model, drained);
    check(model, real, []);
  }
  toString(): string {
    return "drain";
  }
}

const priority = fc.oneof(fc.constantFrom(0, 0, 1), fc.integer({ min: -8, max: 8 }));
const timeoutMs = fc.oneof(
  fc.integer({ min: -2, max: 40 }),
  fc.constantFrom(10, 10, 200, Infinity),
);
const push = fc.tuple(priority, timeoutMs).map(([level, ms]) => new Push(level, ms));
// fast-check draws the kinds alike: pushes are there several times, so that the queue fills.
const steps = fc.commands(
  [
    push,
    push,
    push,
    push,
    fc.constant(new Take()),
    fc.nat({ max: 999 }).map((pick) => new Remove(pick)),
    fc.constant(new Expire()),
    fc.integer({ min: 0, max: 8 }).map((ms) => new Advance(ms)),
    fc.nat({ max: 99 }).map((n) => (n < 10 ? new Drain() : new Push(0, 20))),
  ],
  { maxCommands: 200, size: "max" },
);

test("RequestQueue agrees with a list sorted anew at each step", () => {
  let fullest = 0;
  fc.assert(
    fc.property(steps, (commands) => {
      fc.modelRun(() => {
        const clock = new ManualClock();
        const expired: Item[] = [];
        const queue = new RequestQueue<Item>({
          queuedMax: QUEUED_MAX,
          clock,
          onExpired: (item) => {
            fullest = Math.max(fullest, queue.size);
            expired.push(item);
          },
        });
        const model: Model = { waiting: [], nowMs: 0, made: [] };
        return { model, real: { queue, clock, expired, items: [] } };
      }, commands);
    }),
    { numRuns: 500 },
  );
  // It has been full, and has made room from expired items.
  assert.equal(fullest, QUEUED_MAX - 1);
});
