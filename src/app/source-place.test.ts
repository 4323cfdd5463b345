import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestOf } from "../core/nearest.ts";
import { readPlace } from "./source-place.ts";

test("readPlace finds file, line and column in a frame of any form", () => {
  const cases: [frame: string, place: string][] = [
    ["file:///srv/app/src/a.ts:12:3", "src/a.ts:12:3"],
    ["Object.<anonymous> (/srv/app/src/a.ts:1:20)", "src/a.ts:1:20"],
    ["async load (file:///srv/app/with%20space/a.ts:1:2)", "with space/a.ts:1:2"],
    ["file:///srv/application/a.ts:1:2", "/srv/application/a.ts:1:2"],
    ["node:internal/x:3:4", "node:internal/x:3:4"],
    ["<anonymous>", "unknown place"],
  ];
  for (const [frame, place] of cases) {
    assert.equal(readPlace(`Error\n    at ${frame}`, "/srv/app"), place);
  }
  assert.equal(readPlace("Error", "/srv/app"), "unknown place");
});

test("nearestOf finds what was meant, and nothing where nothing is near", () => {
  const known = ["placement", "bodyLimit", "queueTimeoutMs", "priority"];
  const cases: [word: string, nearest: string | undefined][] = [
    ["bodylimit", "bodyLimit"],
    ["placment", "placement"],
    ["priorty", "priority"],
    ["prio", "priority"],
    ["timeoutMs", "queueTimeoutMs"],
    ["colour", undefined],
  ];
  for (const [word, nearest] of cases) assert.equal(nearestOf(word, known), nearest, word);
});
