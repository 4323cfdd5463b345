import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "../../src/server.ts";
import { RawClient, get } from "../support/raw-client.ts";
import { serve } from "../support/serve.ts";

const connectionCount = 5_000;

/** Connections that are opened at once: fewer than the backlog, so that none has to be retried. */
const waveSize = 250;

describe("A server with 5,000 connections at once", () => {
  test("answers each twice, the second time with all open", { timeout: 60_000 }, async () => {
    await using server = await serve({ limits: { queuedMax: connectionCount } });
    await server.ready();
    const clients: RawClient[] = [];
    try {
      while (clients.length < connectionCount) clients.push(...(await openWave(server, clients)));
      assert.equal(server.connectionCount, connectionCount);
      await Promise.all(clients.map((client, n) => requireAnswer(client, n, "second")));
      assert.equal(server.connectionCount, connectionCount);
    } finally {
      for (const client of clients) client.socket.destroy();
    }
    await eventually(() => server.connectionCount === 0, "every connection is forgotten");
  });
});

describe("The connection limit", () => {
  test("closes the 51st at once, serves the 50, and takes a new one for one gone", async () => {
    await using server = await serve({ workers: 1, limits: { connectionsMax: 50 } });
    const clients = await Promise.all(Array.from({ length: 50 }, () => RawClient.connect(server)));
    try {
      await requireAnswers(clients, "first");
      {
        await using refused = await RawClient.connect(server);
        refused.send(get("/hello"));
        assert.equal(await refused.untilEnd(), "");
      }
      assert.equal(server.connectionCount, 50);
      await requireAnswers(clients, "second");
      clients.pop()?.socket.destroy();
      await eventually(() => server.connectionCount === 49, "the closed connection is forgotten");
      clients.push(await RawClient.connect(server));
      await requireAnswers(clients, "third");
    } finally {
      for (const client of clients) client.socket.destroy();
    }
  });
});

/** Opens some connections; each has its first request answered. */
async function openWave(server: Server, before: readonly RawClient[]): Promise<RawClient[]> {
  const size = Math.min(waveSize, connectionCount - before.length);
  return Promise.all(
    Array.from({ length: size }, async (_, n) => {
      const client = await RawClient.connect(server);
      await requireAnswer(client, before.length + n, "first");
      return client;
    }),
  );
}

async function requireAnswers(clients: readonly RawClient[], round: string): Promise<void> {
  await Promise.all(clients.map((client, n) => requireAnswer(client, n, round)));
}

/** Each connection asks for something of its own, so that no answer can pass for another's. */
async function requireAnswer(client: RawClient, n: number, round: string): Promise<void> {
  const { status, body } = await client.exchange(get(`/users/${n}?q=${round}`));
  assert.equal(status, 200);
  assert.equal(body, `{"id":"${n}","query":"${round}"}`);
}

async function eventually(check: () => boolean, what: string): Promise<void> {
  for (let n = 0; n < 250; n++) {
    if (check()) return;
    await sleep(20);
  }
  assert.fail(`within 5 s, ${what}`);
}
