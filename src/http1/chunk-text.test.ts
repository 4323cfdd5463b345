import assert from "node:assert/strict";
import { test } from "node:test";
import { chunkEnd, chunkHead, lastChunk, lastChunkWith, textChunk } from "./chunk-text.ts";

test("chunkHead gives the length in hexadecimal (RFC 9112 §7.1)", () => {
  assert.equal(chunkHead(1), "1\r\n");
  assert.equal(chunkHead(255), "ff\r\n");
  assert.equal(chunkHead(65_536), "10000\r\n");
  assert.equal(chunkEnd, "\r\n");
});

test("chunkHead refuses a chunk that would end the body (RFC 9112 §7.1)", () => {
  for (const length of [0, -1, 1.5, NaN, Infinity]) {
    assert.throws(() => chunkHead(length), RangeError);
  }
});

test("textChunk frames text, and leaves an empty one out (RFC 9112 §7.1)", () => {
  assert.equal(textChunk("hello, world! 16"), "10\r\nhello, world! 16\r\n");
  assert.equal(textChunk(""), "");
});

test("lastChunk ends a body, with trailers or without (RFC 9112 §7.1.2)", () => {
  assert.equal(lastChunk, "0\r\n\r\n");
  assert.equal(lastChunkWith(""), lastChunk);
  assert.equal(lastChunkWith("a: b\r\n"), "0\r\na: b\r\n\r\n");
});
