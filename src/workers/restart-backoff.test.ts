import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../core/clock.ts";
import { RestartBackoff } from "./restart-backoff.ts";

function make(): { clock: ManualClock; backoff: RestartBackoff } {
  const clock = new ManualClock();
  return { clock, backoff: new RestartBackoff({ clock, soundLifeMs: 10_000 }) };
}

test("RestartBackoff replaces the first worker that dies at once", () => {
  const { backoff } = make();
  backoff.workerReady(1);
  backoff.workerFailed(1);
  assert.equal(backoff.pauseMs(), 0);
});

test("RestartBackoff doubles the pause while workers die young, up to 30 s", () => {
  const { backoff } = make();
  const pauses: number[] = [];
  for (let id = 1; id <= 12; id++) {
    backoff.workerFailed(id);
    pauses.push(backoff.pauseMs());
  }
  assert.deepEqual(pauses.slice(0, 5), [0, 100, 200, 400, 800]);
  assert.equal(pauses.at(-1), 30_000);
});

test("RestartBackoff forgets earlier failures once a worker has lived long enough", () => {
  const { clock, backoff } = make();
  for (let id = 1; id <= 5; id++) backoff.workerFailed(id);
  backoff.workerReady(6);
  clock.advance(10_000);
  backoff.workerFailed(6);
  assert.equal(backoff.pauseMs(), 0);
});
