import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../core/errors.ts";
import { DrainRate } from "./retry-after.ts";

/** A rate that has seen `n` items leave each `everyMs`, `times` times, from time 0. */
function steady(n: number, everyMs: number, times: number): DrainRate {
  const rate = new DrainRate();
  rate.took(0, 0);
  for (let i = 1; i <= times; i += 1) rate.took(n, i * everyMs);
  return rate;
}

test("DrainRate names the seconds a steady rate needs, rounded up, from the start", () => {
  for (const times of [1, 10, 1_000]) {
    const rate = steady(10, 100, times);
    assert.equal(rate.retryAfterSeconds(250), 3);
    assert.equal(rate.retryAfterSeconds(950), 10);
  }
  assert.equal(steady(100, 60_000, 3).retryAfterSeconds(15), 9);
});

test("DrainRate stays between 1 and its bound", () => {
  assert.equal(steady(10, 10, 50).retryAfterSeconds(0), 1);
  assert.equal(steady(10, 10, 50).retryAfterSeconds(1), 1);
  assert.equal(steady(1, 1_000, 50).retryAfterSeconds(1e9), 30);
  const rate = new DrainRate({ retryAfterMaxSeconds: 5 });
  rate.took(0, 0);
  rate.took(1, 1_000);
  assert.equal(rate.retryAfterSeconds(100), 5);
});

test("DrainRate says 1 before anything is measured, and the bound when nothing leaves", () => {
  const rate = new DrainRate();
  assert.equal(rate.retryAfterSeconds(100), 1);
  assert.equal(rate.retryAfterSeconds(100, 5_000), 1);
  rate.took(50, 10_000);
  assert.equal(rate.retryAfterSeconds(100), 1);
  rate.took(0, 11_000);
  assert.equal(rate.retryAfterSeconds(100), 30);
  assert.equal(rate.retryAfterSeconds(0), 1);
});

test("DrainRate follows a change of rate within a few windows", () => {
  const rate = steady(10, 100, 200);
  for (let ms = 20_100; ms <= 40_000; ms += 100) rate.took(1, ms);
  const seconds = rate.retryAfterSeconds(100);
  assert.ok(seconds >= 8 && seconds <= 10, String(seconds));
});

test("DrainRate lets a stall show when told the time", () => {
  const rate = steady(10, 100, 200);
  assert.equal(rate.retryAfterSeconds(100), 1);
  assert.equal(rate.retryAfterSeconds(100, 30_000), 8);
  assert.equal(rate.retryAfterSeconds(100, 60_000), 30);
});

test("DrainRate counts items of one moment, and a clock that steps back as standing still", () => {
  const rate = new DrainRate();
  rate.took(0, 1_000);
  rate.took(50, 2_000);
  rate.took(25, 2_000);
  rate.took(25, 1_500);
  assert.equal(rate.retryAfterSeconds(1_000), 10);
});

test("DrainRate refuses a window or a bound that makes no sense", () => {
  for (const options of [
    ...[0, -1, NaN, Infinity].map((windowMs) => ({ windowMs })),
    ...[0, 1.5, NaN, Infinity].map((retryAfterMaxSeconds) => ({ retryAfterMaxSeconds })),
  ]) {
    assert.throws(
      () => new DrainRate(options),
      (error) => error instanceof ConfigError && error.code === "RETRY_AFTER",
    );
  }
});
