import assert from "node:assert/strict";
import { test } from "node:test";
import { BodyChannel } from "./body-channel.ts";

async function readAll(channel: BodyChannel): Promise<string> {
  let text = "";
  for await (const chunk of channel.open()) text += Buffer.from(chunk).toString();
  return text;
}

test("BodyChannel gives its bytes in order, pushed before and while being read", async () => {
  const channel = new BodyChannel(() => {});
  channel.push(Buffer.from("a"));
  const read = readAll(channel);
  channel.push(Buffer.from("b"));
  await Promise.resolve();
  channel.push(Buffer.from("c"));
  channel.end();
  assert.equal(await read, "abc");
});

test("BodyChannel tells how much was read, not how much came", async () => {
  let taken = 0;
  const channel = new BodyChannel((bytes) => (taken += bytes));
  channel.push(Buffer.from("four"));
  channel.push(Buffer.from("sixsix"));
  assert.equal(taken, 0);
  const chunks = channel.open()[Symbol.asyncIterator]();
  await chunks.next();
  assert.equal(taken, 4);
  await chunks.next();
  assert.equal(taken, 10);
});

test("BodyChannel throws the failure to a reader that waits, and to one that comes later", async () => {
  const waiting = new BodyChannel(() => {});
  const read = readAll(waiting);
  waiting.fail(new Error("broken off"));
  await assert.rejects(read, /broken off/);

  const later = new BodyChannel(() => {});
  later.push(Buffer.from("x"));
  later.fail(new Error("broken off"));
  await assert.rejects(readAll(later), /broken off/);
});

test("BodyChannel can be read once", () => {
  const channel = new BodyChannel(() => {});
  channel.open();
  assert.throws(() => channel.open(), /already read/);
});

test("BodyChannel ignores what comes after its end", async () => {
  const channel = new BodyChannel(() => {});
  channel.push(Buffer.from("a"));
  channel.end();
  channel.push(Buffer.from("b"));
  channel.fail(new Error("late"));
  assert.equal(await readAll(channel), "a");
});
