/** `npm run bench -- [scenario] [options]`; see README.md. */
import { parseArgs } from "node:util";
import { chooseAffinity } from "./affinity.ts";
import { Bench, type BenchOptions } from "./bench.ts";
import { environmentOf } from "./environment.ts";
import { BenchError } from "./errors.ts";
import { measureIdleConnections } from "./idle-connections.ts";
import { installPeers, requireBuild } from "./install.ts";
import { chooseLoadTool } from "./load.ts";
import { measureLoopDelay } from "./loop-delay.ts";
import { markdownOf, saveResults, type Results } from "./report.ts";
import { measureRequests } from "./requests.ts";
import { servers } from "./servers.ts";
import { shapes } from "./shapes.ts";
import { measureStartup } from "./startup.ts";

const connections = ["64", "1"];
const sections = ["requests", "idle", "startup", "loop-delay"];
/** Idle connections need their rests, whatever their number. */
const quickSections = sections.filter((section) => section !== "idle");

/** What the first argument may name. Each returns the exit code. */
const scenarios: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  requests: runRequests,
};

const help = `npm run bench -- [scenario] [options]

scenarios: ${Object.keys(scenarios).join(", ")} (default: requests)

options of requests:
  --servers a,b           ${servers.map(({ name }) => name).join(",")}
  --shapes x,y            ${shapes.map(({ name }) => name).join(",")}
  --connections m,n       ${connections.join(",")}
  --sections x,y          ${sections.join(",")}
  --rounds N              rounds, each with fresh processes (5)
  --seconds N             whole seconds of load for one server, shape and round (2)
  --warmup-seconds N      before each round, for every server and shape (1)
  --idle-connections N    (10000)
  --startup-rounds N      (10)
  --loop-delay-seconds N  (5)
  --name text             in the name of the result file (requests, or quick)
  --quick                 a look in three minutes: 2 rounds of 1 s, 64 connections, nothing idle
`;

async function main(): Promise<number> {
  const [first, ...rest] = process.argv.slice(2);
  if (first === "--help" || first === "-h") {
    process.stdout.write(help);
    return 0;
  }
  const named = first !== undefined && !first.startsWith("-");
  const scenario = scenarios[named ? first : "requests"];
  if (scenario !== undefined) return scenario(named ? rest : process.argv.slice(2));
  const known = Object.keys(scenarios).join(", ");
  throw new BenchError("SCENARIO", `No scenario \`${first}\`: there are ${known}`);
}

async function runRequests(args: readonly string[]): Promise<number> {
  const { options, serverNames, name } = readOptions(args);
  if (process.platform !== "linux") {
    throw new BenchError("PLATFORM", "CPU time and memory are read from /proc: run this on Linux");
  }
  if (serverNames.some((server) => server.startsWith("millrace"))) requireBuild();
  installPeers();
  const asked = servers.filter((server) => serverNames.includes(server.name));
  const skipped = asked.flatMap((each) =>
    each.missing() ? `${each.title}: ${each.missing()}` : [],
  );
  const bench = new Bench({
    options,
    servers: asked.filter((server) => server.missing() === null),
    affinity: chooseAffinity(),
    load: chooseLoadTool(),
  });
  const environment = environmentOf(bench);
  const wants = (section: string) => options.sections.includes(section);
  const results: Results = {
    version: 1,
    scenario: name,
    environment,
    options,
    requests: wants("requests") ? await measureRequests(bench) : [],
    idleConnections: wants("idle") ? await measureIdleConnections(bench) : [],
    startup: wants("startup") ? await measureStartup(bench) : [],
    loopDelay: wants("loop-delay") ? await measureLoopDelay(bench) : [],
    skipped,
    failures: bench.failures,
  };
  const path = saveResults(results, name);
  bench.progress(`wrote ${path}\n`);
  process.stdout.write(markdownOf(results));
  return bench.failures.length === 0 ? 0 : 1;
}

function readOptions(args: readonly string[]) {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      servers: text,
      shapes: text,
      connections: text,
      sections: text,
      rounds: text,
      seconds: text,
      "warmup-seconds": text,
      "idle-connections": text,
      "startup-rounds": text,
      "loop-delay-seconds": text,
      name: text,
      quick: { type: "boolean", default: false },
    },
  });
  const { quick } = values;
  const count = (option: Exclude<keyof typeof values, "quick">, ordinary: number, short: number) =>
    positive(option, values[option]) ?? (quick ? short : ordinary);
  const options: BenchOptions = {
    rounds: count("rounds", 5, 2),
    seconds: count("seconds", 2, 1),
    warmupSeconds: count("warmup-seconds", 1, 1),
    shapes: choose("shapes", values.shapes, namesOf(shapes)),
    connections: choose(
      "connections",
      values.connections,
      connections,
      quick ? ["64"] : connections,
    ),
    sections: choose("sections", values.sections, sections, quick ? quickSections : sections),
    idleConnections: count("idle-connections", 10_000, 5_000),
    startupRounds: count("startup-rounds", 10, 3),
    loopDelaySeconds: count("loop-delay-seconds", 5, 2),
  };
  const serverNames = choose("servers", values.servers, namesOf(servers));
  return { options, serverNames, name: values.name ?? (quick ? "quick" : "requests") };
}

function positive(option: string, value: string | undefined): number | null {
  if (value === undefined) return null;
  if (/^[1-9]\d*$/.test(value)) return Number(value);
  throw new BenchError("OPTION", `--${option} ${value}: give a whole number from 1`);
}

/** Names from a comma-separated list, all of them known; `ordinary` when none is given. */
function choose(
  option: string,
  value: string | undefined,
  known: readonly string[],
  ordinary: readonly string[] = known,
): readonly string[] {
  if (value === undefined) return ordinary;
  const names = value.split(",").map((name) => name.trim());
  const strange = names.find((name) => !known.includes(name));
  if (strange === undefined) return names;
  throw new BenchError("OPTION", `--${option} ${strange}: there are ${known.join(", ")}`);
}

function namesOf(items: readonly { readonly name: string }[]): readonly string[] {
  return items.map(({ name }) => name);
}

process.once("SIGINT", () => process.exit(130)); // On its way out, servers.ts ends what it started.
process.once("SIGTERM", () => process.exit(143));

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof BenchError) && !isArgumentError(error)) throw error;
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 2;
}

/** What `parseArgs` throws at an option it does not know. */
function isArgumentError(error: unknown): error is Error & { code: string } {
  return error instanceof TypeError && String(Object(error).code).startsWith("ERR_PARSE_ARGS");
}
