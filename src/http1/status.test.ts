import assert from "node:assert/strict";
import { STATUS_CODES } from "node:http";
import { test } from "node:test";
import { reasonPhrase } from "../core/reason-phrase.ts";
import { statusLine } from "./status.ts";

test("statusLine names registered statuses (RFC 9112 §4)", () => {
  assert.equal(statusLine(200), "HTTP/1.1 200 OK\r\n");
  assert.equal(statusLine(200), "HTTP/1.1 200 OK\r\n");
  assert.equal(statusLine(413), "HTTP/1.1 413 Content Too Large\r\n");
});

test("statusLine keeps the space when there is no phrase (RFC 9112 §4)", () => {
  assert.equal(statusLine(299), "HTTP/1.1 299 \r\n");
});

test("statusLine refuses what is no status (RFC 9110 §15)", () => {
  for (const status of [0, 99, 600, 200.5, NaN]) {
    assert.throws(() => statusLine(status), RangeError);
  }
});

test("reasonPhrase knows every status that Node knows, but for those registered as unused", () => {
  for (const status of Object.keys(STATUS_CODES).map(Number)) {
    const unregistered = [306, 418, 509].includes(status);
    assert.equal(reasonPhrase(status) === "", unregistered, String(status));
  }
});
