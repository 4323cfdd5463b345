/** What the edge still does on time while the workers burn every core. Millrace only. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "./bench.ts";
import { startClient } from "./client-process.ts";
import { BenchError } from "./errors.ts";
import type { OpenLoopAnswer, OpenLoopQuestion } from "./open-loop-client.ts";
import { probe } from "./probe.ts";
import { millrace, startServer } from "./servers.ts";

const LIGHT_PER_SECOND = 2_000;
const SPIN_MS = 100;
const SPINNERS = 16;
/** For the workers to be busy, and for the pool to learn which route makes them so. */
const SPIN_LEAD_MS = 2_000;

/** One light route, as an open-loop client saw it. */
export interface LightRoute extends Readonly<OpenLoopAnswer["requests"][number]> {
  readonly route: string;
}

/** The edge and its light routes, alone or beside spinning workers. */
export interface LoopDelayPhase {
  readonly name: "alone" | "workers spin";
  readonly edgeP50Ms: number;
  readonly edgeP99Ms: number;
  readonly edgeMaxMs: number;
  readonly light: readonly LightRoute[];
  readonly clientLateP99Ms: number;
  readonly spinsPerSecond: number;
}

/** Answer of `GET /loop-delay`. */
interface EdgeDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Measures both phases on one server. Nothing is pinned: the workers are to have every core. */
export async function measureLoopDelay(bench: Bench): Promise<LoopDelayPhase[]> {
  if (!bench.servers.some(({ name }) => name.startsWith("millrace"))) return [];
  const phases = await bench.attempt("loop delay", async () => {
    const definition = millrace("millrace-spin", "Millrace (spin)", "millrace-spin.ts");
    const server = await startServer(definition, { cpu: null, path: "/light" });
    try {
      bench.progress("loop delay: alone");
      const alone = await measurePhase(bench, server.port, false);
      bench.progress("loop delay: workers spin");
      return [alone, await measurePhase(bench, server.port, true)];
    } finally {
      await server.stop();
    }
  });
  return phases ?? [];
}

async function measurePhase(bench: Bench, port: number, spin: boolean): Promise<LoopDelayPhase> {
  const { loopDelaySeconds: seconds } = bench.options;
  const routes = ["/light", "/light-edge"];
  const requests = await Promise.all(
    routes.map(async (route) => ({
      text: get(route, port),
      wireBytes: (await ask(route, port)).wireBytes,
    })),
  );
  const client = startClient<OpenLoopQuestion, OpenLoopAnswer>("open-loop-client.ts", null);
  const stopSpinning = new AbortController();
  const spinning = spin ? startSpinning(port, stopSpinning.signal) : null;
  try {
    const question = { port, ratePerSecond: LIGHT_PER_SECOND, requests };
    await client.ask({ ...question, seconds: 1 }, 30_000); // Warm-up, for both sides.
    if (spin) await sleep(SPIN_LEAD_MS);
    await ask("/loop-delay", port); // Starts the monitor, or clears it.
    const spunBefore = spinning?.done() ?? 0;
    const startedAt = performance.now();
    const seen = await client.ask({ ...question, seconds }, seconds * 1e3 + 30_000);
    const edge = JSON.parse((await ask("/loop-delay", port)).body) as EdgeDelay;
    const spun = (spinning?.done() ?? 0) - spunBefore;
    return {
      name: spin ? "workers spin" : "alone",
      edgeP50Ms: edge.p50Ms,
      edgeP99Ms: edge.p99Ms,
      edgeMaxMs: edge.maxMs,
      light: seen.requests.map((each, kind) => ({ route: routes[kind] ?? "", ...each })),
      clientLateP99Ms: seen.lateP99Ms,
      spinsPerSecond: (spun / (performance.now() - startedAt)) * 1e3,
    };
  } finally {
    stopSpinning.abort();
    await client.stop();
    await spinning?.ended;
  }
}

/** Keeps `SPINNERS` requests for the spinning route under way. */
function startSpinning(port: number, signal: AbortSignal) {
  let done = 0;
  const spinner = async () => {
    while (!signal.aborted) {
      const answer = await probe(port, get(`/spin?ms=${SPIN_MS}`, port), 60_000);
      if (answer.status === 200) done += 1;
      else await sleep(SPIN_MS); // Shed: it would come back at once and be shed again.
    }
  };
  const ended = Promise.allSettled(Array.from({ length: SPINNERS }, spinner));
  return { done: () => done, ended };
}

function get(path: string, port: number): string {
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
}

async function ask(path: string, port: number) {
  const answer = await probe(port, get(path, port));
  if (answer.status === 200) return answer;
  throw new BenchError("WRONG_ANSWER", `${path} answered ${answer.status}, want 200`);
}
