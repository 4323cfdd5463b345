import assert from "node:assert/strict";
import { test } from "node:test";
import { HandlerCosts } from "./handler-costs.ts";

test("HandlerCosts takes a handler for light until it has held a thread", () => {
  const costs = new HandlerCosts();
  assert.equal(costs.isLight(3), true);
  costs.held(3);
  assert.equal(costs.isLight(3), false);
  assert.equal(costs.isLight(4), true);
});

test("HandlerCosts keeps a handler light that was interrupted now and then", () => {
  const costs = new HandlerCosts();
  for (let n = 0; n < 1_000; n++) costs.isLight(0);
  for (let n = 0; n < 10; n++) costs.held(0);
  assert.equal(costs.isLight(0), true);
});

test("HandlerCosts knows the miss handler, whose index is -1", () => {
  const costs = new HandlerCosts();
  costs.held(-1);
  assert.equal(costs.isLight(-1), false);
  assert.equal(costs.isLight(0), true);
});

test("HandlerCosts forgives a handler that has become light", () => {
  const costs = new HandlerCosts();
  costs.isLight(0);
  costs.held(0);
  for (let halves = 1; halves <= 8; halves++) costs.fade(halves * 10_000);
  assert.equal(costs.isLight(0), true);
});
