import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  HeaderTextReceiver,
  HeaderTextSender,
  detached,
  methodCode,
  methodOf,
  shared,
  toEdge,
  toWorker,
} from "./codec.ts";

/** As codec.ts has them: a change there must be meant. */
const numberedMax = 128;
const numberedLengthMax = 256;

/** Few enough that they recur, and some that are too long for a number. */
const recurring = fc.array(
  fc.oneof(
    fc.integer({ min: 0, max: 200 }).map((n) => `x-field: ${n}\r\n`),
    fc.integer({ min: 250, max: 262 }).map((length) => "x".repeat(length)),
    fc.constant(""),
    fc.string(),
  ),
  { maxLength: 600 },
);

describe("Header texts", () => {
  test("arrive as they were sent, in any sequence", () => {
    fc.assert(
      fc.property(recurring, (texts) => {
        const sender = new HeaderTextSender();
        const receiver = new HeaderTextReceiver();
        const arrived = texts.map((text) => receiver.decode(sender.encode(text)));
        assert.deepEqual(arrived, texts);
      }),
    );
  });

  test("arrive as they were sent when many are on their way", () => {
    fc.assert(
      fc.property(recurring, (texts) => {
        const sender = new HeaderTextSender();
        const receiver = new HeaderTextReceiver();
        const sent = texts.map((text) => sender.encode(text));
        assert.deepEqual(
          sent.map((code) => receiver.decode(code)),
          texts,
        );
      }),
    );
  });

  test("cross as numbers from the second time on", () => {
    const sender = new HeaderTextSender();
    const codes = ["a", "b", "a", "", "b", ""].map((text) => sender.encode(text));
    assert.deepEqual(codes, ["a", "b", 0, "", 1, 2]);
  });

  test("get no more numbers than the tables are long", () => {
    const sender = new HeaderTextSender();
    const receiver = new HeaderTextReceiver();
    for (const round of [1, 2, 3]) {
      for (let n = 0; n < 3 * numberedMax; n++) {
        const code = sender.encode(`x: ${n}\r\n`);
        const isNumbered = round > 1 && n < numberedMax;
        assert.equal(code, isNumbered ? n : `x: ${n}\r\n`);
        assert.equal(receiver.decode(code), `x: ${n}\r\n`);
      }
    }
  });

  test("get no number when they are long", () => {
    const sender = new HeaderTextSender();
    const longest = "x".repeat(numberedLengthMax);
    const longer = "y".repeat(numberedLengthMax + 1);
    assert.deepEqual(
      [longer, longer, longest, longest].map((text) => sender.encode(text)),
      [longer, longer, longest, 0],
    );
  });
});

describe("Methods", () => {
  test("arrive as they were sent, whatever they are", () => {
    const common = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    const strange = ["0", "6", "get", "", "PROPFIND", "__proto__", "constructor"];
    const method = fc.oneof(fc.constantFrom(...common, ...strange), fc.string());
    fc.assert(fc.property(method, (name) => assert.equal(methodOf(methodCode(name)), name)));
  });

  test("cross as numbers when they are common, each its own", () => {
    const codes = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].map(methodCode);
    assert.deepEqual(codes, [0, 1, 2, 3, 4, 5, 6]);
    assert.equal(methodCode("get"), "get", "methods are case-sensitive (RFC 9110 §9.1)");
  });
});

describe("The codec", () => {
  test("has one number for each operation of a direction and each shared word", () => {
    for (const table of [toWorker, toEdge]) {
      const numbers = Object.values(table);
      assert.equal(new Set(numbers).size, numbers.length);
    }
    const { words, ...places } = shared;
    assert.deepEqual(
      Object.values(places).sort((a, b) => a - b),
      [...Array(words).keys()],
    );
  });

  test("detaches a copy that shares no memory and holds no more than its bytes", () => {
    const whole = Uint8Array.of(1, 2, 3, 4);
    const copy = detached(whole.subarray(1, 3));
    whole.fill(0);
    assert.deepEqual([...copy], [2, 3]);
    assert.equal(copy.buffer.byteLength, 2);
  });
});
