import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { fixtureUrl } from "../support/fixture-url.ts";

const printedOut = "by console.log\nby process.stdout.write\n";
const printedErr = "by console.error\n";

describe("What a handler prints", () => {
  test("reaches stdout and stderr while the main thread is blocked", async () => {
    const { stdout, stderr } = await run("/print-later", "1500");
    assert.equal(stdout, `${printedOut}unblocked\n`);
    assert.equal(stderr, `${printedErr}unblocked\n`);
  });

  test("reaches stdout and stderr when its worker exits right after", async () => {
    const { stdout, stderr } = await run("/print-and-exit");
    assert.equal(stdout, printedOut);
    assert.equal(stderr, printedErr);
  });

  test("reaches stdout and stderr when its worker crashes right after", async () => {
    const { stdout, stderr } = await run("/print-and-crash");
    assert.equal(stdout, printedOut);
    assert.ok(stderr.startsWith(printedErr), stderr);
  });

  test("reaches stdout whole when it is longer than a pipe and its worker exits", async () => {
    const { stdout } = await run("/print-long-and-exit");
    assert.equal(stdout.length, 300_001);
    assert.match(stdout, /^x+\n$/);
  });
});

/** Runs `printing-server.ts` to its end. */
async function run(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const script = fileURLToPath(fixtureUrl("printing-server.ts"));
  return promisify(execFile)(process.execPath, ["--conditions=millrace-source", script, ...args], {
    timeout: 20_000,
  });
}
