import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createServer } from "../src/server.ts";

// The examples in README.md stand as files under test/fixtures/readme, where they are type-checked
// and run. This holds the two against each other.

const folder = new URL("./fixtures/readme/", import.meta.url);
const files = ["app.ts", "notes.ts", "serve.ts"];

test("README shows the examples that are tested, and no others", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const shown = [...readme.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code);
  assert.deepEqual(
    shown,
    files.map((file) => readFileSync(new URL(file, folder), "utf8")),
  );
});

describe("The examples in README", () => {
  test("make a first application", async () => {
    await using server = createServer({ app: new URL("app.ts", folder), workers: 1 });
    const hello = await server.inject("/api/hello?name=Ada");
    assert.deepEqual(await hello.json(), { message: "Hello, Ada!" });
    const { time } = (await (await server.inject("/api/time")).json()) as { time: string };
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000);
    assert.equal(await (await server.inject("/now")).text(), "inline on the edge loop");
  });

  test("hand state from middleware on, refuse strangers and bound bodies", async () => {
    await using server = createServer({ app: new URL("notes.ts", folder), workers: 1 });
    assert.equal((await server.inject("/me")).status, 401);
    const me = await server.inject("/me", { headers: { "x-user": "Ada" } });
    assert.deepEqual(await me.json(), { you: "Ada" });
    assert.equal(me.headers.get("cache-control"), "no-store");
    const headers = { "x-user": "Ada", "content-type": "application/json" };
    const note = await server.inject("/notes", {
      method: "POST",
      headers,
      body: JSON.stringify({ text: "four" }),
    });
    assert.deepEqual(await note.json(), { kept: 4 });
    const body = "x".repeat(10_001);
    assert.equal((await server.inject("/notes", { method: "POST", headers, body })).status, 413);
  });

  test("serve from code, and end by themselves", () => {
    const script = fileURLToPath(new URL("serve.ts", folder));
    const options = ["--conditions=millrace-source", script];
    const run = spawnSync(process.execPath, options, { encoding: "utf8", timeout: 20_000 });
    assert.equal(run.status, 0, run.stderr);
    assert.match(run.stdout, /^http:\/\/localhost:\d+ 200 \{ message: 'Hello, Ada!' \}\n$/);
  });
});
