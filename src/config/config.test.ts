import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultLimits, resolveLimits } from "./limits.ts";
import { resolveWorkerCount } from "./worker-count.ts";

test("Worker count is one more than the cores unless told otherwise", () => {
  assert.deepEqual(resolveWorkerCount(undefined, 4), { min: 5, max: 5 });
});

test("Worker count follows the classic rules on request", () => {
  assert.deepEqual(resolveWorkerCount("threads", 4), { min: 20, max: 20 });
  assert.deepEqual(resolveWorkerCount("processes", 4), { min: 9, max: 9 });
});

test("Worker count takes a number or a range", () => {
  assert.deepEqual(resolveWorkerCount(3, 4), { min: 3, max: 3 });
  assert.deepEqual(resolveWorkerCount({ min: 1, max: 8 }, 4), { min: 1, max: 8 });
});

test("Worker count refuses what isn't one, and says what is", () => {
  for (const wrong of [0, -1, 1.5, NaN, 5_000, { min: 3, max: 2 }, { min: 0, max: 2 }]) {
    assert.throws(() => resolveWorkerCount(wrong, 4), {
      code: "WORKERS",
      message: /whole number from 1/,
    });
  }
});

test("Limits keep their defaults where nothing else is given", () => {
  assert.deepEqual(resolveLimits({}), defaultLimits);
  assert.equal(resolveLimits({ queuedMax: 7 }).queuedMax, 7);
});

test("Limits refuse unknown names and values that bound nothing", () => {
  assert.throws(() => resolveLimits({ queueMax: 7 } as never), {
    code: "LIMIT",
    message: /queueMax; did you mean queuedMax\?/,
  });
  for (const wrong of [0, -1, 1.5, NaN, Infinity]) {
    assert.throws(() => resolveLimits({ queuedMax: wrong }), {
      code: "LIMIT",
      message: /queuedMax/,
    });
  }
});
