/** Memory that an idle keep-alive connection costs the server. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "./bench.ts";
import { startClient } from "./client-process.ts";
import { BenchError } from "./errors.ts";
import type { IdleAnswer, IdleQuestion } from "./idle-client.ts";
import { readProc, residentBytes } from "./process-tree.ts";
import { startServer, type RunningServer, type ServerDefinition } from "./servers.ts";
import { requestText, shapes, verifyAnswer } from "./shapes.ts";

/** Rest before each reading of memory, the same for all. */
const SETTLE_MS = 3_000;

const WARMUP_S = 2;
const OPEN_TIMEOUT_MS = 60_000;

/** Descriptors that a process needs beside its connections. */
const SPARE_DESCRIPTORS = 200;

/** One server's memory without and with idle connections. */
export interface IdleResult {
  readonly server: string;
  readonly title: string;
  readonly connections: number;
  readonly residentBefore: number;
  readonly residentAfter: number;
  readonly bytesPerConnection: number;
}

/** Measures one server after the other, each in a fresh process. */
export async function measureIdleConnections(bench: Bench): Promise<IdleResult[]> {
  const results: IdleResult[] = [];
  for (const definition of bench.servers) {
    bench.progress(`idle connections: ${definition.title}`);
    const what = `idle connections, ${definition.title}`;
    const result = await bench.attempt(what, () => measureOne(bench, definition));
    if (result !== null) results.push(result);
  }
  return results;
}

async function measureOne(bench: Bench, definition: ServerDefinition): Promise<IdleResult> {
  const { idleConnections: connections } = bench.options;
  const shape = shapes.find(({ name }) => name === "plaintext");
  if (shape === undefined) throw new BenchError("NO_SHAPE", "There is no shape `plaintext`");
  const loadCpu = bench.affinity?.loadCpu ?? null;
  const server = await startServer(definition, { cpu: bench.affinity?.serverCpu ?? null });
  const client = startClient<IdleQuestion, IdleAnswer>("idle-client.ts", loadCpu);
  try {
    const { port } = server;
    const wireBytes = await verifyAnswer(definition.title, shape, port);
    requireDescriptors(server, connections);
    // Load first: a heap grows to its working size once, and that growth is no connection's.
    const cpu = loadCpu;
    await bench.load.run({ shape, port, connections: 64, seconds: WARMUP_S, cpu, wireBytes });
    await sleep(SETTLE_MS);
    const residentBefore = residentBytes(server.pid);
    const question = { port, connections, requestText: requestText(shape, port), wireBytes };
    await client.ask({ ...question, reset: false }, OPEN_TIMEOUT_MS);
    await sleep(SETTLE_MS);
    const residentAfter = residentBytes(server.pid);
    const { open } = await client.ask(
      { ...question, connections: 0, reset: true },
      OPEN_TIMEOUT_MS,
    );
    if (open !== connections) {
      const what = `Only ${open} of ${connections} connections were still open in the end`;
      throw new BenchError("IDLE_CLOSED", what);
    }
    return {
      server: definition.name,
      title: definition.title,
      connections,
      residentBefore,
      residentAfter,
      bytesPerConnection: (residentAfter - residentBefore) / connections,
    };
  } finally {
    await client.stop();
    await server.stop();
  }
}

/** Node and Bun raise their soft limit to the hard one; nginx is told to in its configuration. */
function requireDescriptors(server: RunningServer, connections: number): void {
  const limits = readProc(`/proc/${server.pid}/limits`) ?? "";
  const limit = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  if (limit >= connections + SPARE_DESCRIPTORS) return;
  const what = `A process may open ${limit} files here, too few for ${connections} connections`;
  throw new BenchError("OPEN_FILES", `${what}: raise \`ulimit -n\` or give --idle-connections`);
}
