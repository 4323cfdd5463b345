import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer as createNetServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createServer } from "../../src/server.ts";
import { RawClient, get } from "../support/raw-client.ts";
import { fixtureApp, serve } from "../support/serve.ts";

describe("A server on a Unix socket", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "millrace-"));
  });
  after(async () => {
    await rm(folder, { recursive: true });
  });

  test("answers there, names it in its URL, and removes it at its end", async () => {
    const socketPath = join(folder, "answers.sock");
    {
      await using server = await serve({ socketPath, workers: 1 });
      assert.equal(server.url, `unix:${socketPath}`);
      await using client = await RawClient.connect(server);
      assert.equal((await client.exchange(get("/hello"))).body, "hello");
      assert.equal((await client.exchange(get("/ip"))).body, "");
    }
    assert.equal(existsSync(socketPath), false);
  });

  test("replaces a socket file that a dead process left behind", async () => {
    const socketPath = join(folder, "stale.sock");
    await leaveSocket(socketPath);
    assert.equal(existsSync(socketPath), true);
    await using server = await serve({ socketPath, workers: 1 });
    await using client = await RawClient.connect(server);
    assert.equal((await client.exchange(get("/hello"))).body, "hello");
  });

  test("refuses a socket that somebody listens on, and leaves it alone", async () => {
    const socketPath = join(folder, "used.sock");
    await using first = await serve({ socketPath, workers: 1 });
    const second = createServer({ app: fixtureApp, socketPath, workers: 1 });
    await assert.rejects(second.start(), { code: "LISTEN", message: /in use/ });
    await using client = await RawClient.connect(first);
    assert.equal((await client.exchange(get("/hello"))).body, "hello");
  });

  test("refuses a path where a file lies that is no socket, and leaves it alone", async () => {
    const socketPath = join(folder, "precious.txt");
    await writeFile(socketPath, "precious");
    await using server = createServer({ app: fixtureApp, socketPath, workers: 1 });
    await assert.rejects(server.start(), { code: "LISTEN" });
    assert.equal(await readFile(socketPath, "utf8"), "precious");
  });
});

const loopback = networkInterfaces()["lo"] ?? Object.values(networkInterfaces()).flat();
const hasIpv6 = loopback.some((address) => address?.address === "::1");
const skip = hasIpv6 ? false : "this machine has no ::1";

describe("A server on localhost", () => {
  test("answers on 127.0.0.1 and on ::1, on one port", { skip }, async () => {
    await using server = await serve({ host: "localhost", workers: 1 });
    const { address } = server;
    assert.ok("port" in address);
    for (const host of ["127.0.0.1", "[::1]"]) {
      const response = await fetch(`http://${host}:${address.port}/ip`);
      assert.equal(await response.text(), host.replace(/[[\]]/g, ""));
    }
  });

  test("says so when its port is taken on ::1 only", { skip }, async () => {
    const taken = createNetServer();
    await new Promise<void>((resolve) => taken.listen(0, "::1", resolve));
    try {
      const { port } = taken.address() as { port: number };
      await using server = createServer({ app: fixtureApp, host: "localhost", port, workers: 1 });
      await assert.rejects(server.start(), { code: "LISTEN", message: /in use/ });
    } finally {
      taken.close();
    }
  });

  test("bounds its connections on both addresses together", { skip }, async () => {
    const limits = { connectionsMax: 2 };
    await using server = await serve({ host: "localhost", workers: 1, limits });
    await using first = await RawClient.connect(server);
    await using second = await RawClient.connect(server);
    for (const client of [first, second]) await client.exchange(get("/hello"));
    const { address } = server;
    assert.ok("port" in address);
    await using third = new RawClient(connect({ host: "::1", port: address.port }));
    third.send(get("/hello"));
    assert.equal(await third.untilEnd(), "");
  });
});

/** Has a process listen on a Unix socket and kills it, so that its file stays. */
async function leaveSocket(path: string): Promise<void> {
  const script = `require("net").createServer().listen(process.argv[1], () => console.log("up"))`;
  const child = spawn(process.execPath, ["-e", script, path], { stdio: ["ignore", "pipe", 2] });
  await new Promise((resolve) => child.stdout?.once("data", resolve));
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await exited;
}
