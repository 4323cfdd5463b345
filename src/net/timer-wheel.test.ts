import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../core/clock.ts";
import { Expiring, TimerWheel } from "./timer-wheel.ts";

const tickMs = 100;

class Entry extends Expiring {
  readonly expired: number[] = [];
  /** What it asks for when it expires. */
  again = Infinity;

  constructor(expiresAtMs: number) {
    super();
    this.expiresAtMs = expiresAtMs;
  }

  onExpired(nowMs: number): void {
    this.expired.push(nowMs);
    this.expiresAtMs = this.again;
    this.again = Infinity;
  }
}

function makeWheel(): { clock: ManualClock; wheel: TimerWheel; pass: (ms: number) => void } {
  const clock = new ManualClock();
  const wheel = new TimerWheel({ clock, tickMs });
  const pass = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += tickMs) {
      clock.advance(tickMs);
      wheel.turn();
    }
  };
  return { clock, wheel, pass };
}

test("TimerWheel tells an entry within two ticks after its time, never before", () => {
  const { wheel, pass } = makeWheel();
  const entry = new Entry(1_050);
  wheel.add(entry);
  pass(1_000);
  assert.deepEqual(entry.expired, []);
  pass(200);
  assert.equal(entry.expired.length, 1);
});

test("TimerWheel leaves an entry alone whose time was moved later", () => {
  const { wheel, pass } = makeWheel();
  const entry = new Entry(500);
  wheel.add(entry);
  pass(400);
  wheel.set(entry, 2_000);
  pass(1_500);
  assert.deepEqual(entry.expired, []);
  pass(300);
  assert.equal(entry.expired.length, 1);
});

test("TimerWheel notices a time that was moved earlier", () => {
  const { wheel, pass } = makeWheel();
  const entry = new Entry(40_000);
  wheel.add(entry);
  wheel.set(entry, 300);
  pass(500);
  assert.equal(entry.expired.length, 1);
});

test("TimerWheel keeps entries that expire after more than a full turn", () => {
  const { wheel, pass } = makeWheel();
  const entry = new Entry(200_000);
  wheel.add(entry);
  pass(199_900);
  assert.deepEqual(entry.expired, []);
  pass(300);
  assert.equal(entry.expired.length, 1);
});

test("TimerWheel keeps an entry that asks for more time when it expires", () => {
  const { wheel, pass } = makeWheel();
  const entry = new Entry(200);
  entry.again = 1_000;
  wheel.add(entry);
  pass(500);
  assert.equal(entry.expired.length, 1);
  pass(700);
  assert.equal(entry.expired.length, 2);
});

test("TimerWheel forgets removed entries, wherever they stand in their slot", () => {
  const { wheel, pass } = makeWheel();
  const entries = [new Entry(300), new Entry(300), new Entry(300)];
  for (const entry of entries) wheel.add(entry);
  wheel.remove(entries[1] as Entry);
  wheel.remove(entries[1] as Entry);
  pass(500);
  assert.deepEqual(
    entries.map((entry) => entry.expired.length),
    [1, 0, 1],
  );
});

test("TimerWheel catches up after a long stall", () => {
  const { clock, wheel } = makeWheel();
  const early = new Entry(300);
  const late = new Entry(10_000_000);
  wheel.add(early);
  wheel.add(late);
  clock.advance(9_000_000);
  wheel.turn();
  assert.equal(early.expired.length, 1);
  assert.equal(late.expired.length, 0);
});
