import { availableParallelism } from "node:os";
import { resolveWorkerCount, type WorkerCount } from "../config/worker-count.ts";
import { ConfigError } from "../core/errors.ts";
import { UsageError, type Arguments, type OptionSpec } from "./command.ts";
import { importOption } from "./import-option.ts";

/** What `millrace serve` can be told. */
export const serveOptionTable: Readonly<Record<string, OptionSpec>> = {
  port: { value: "PORT", summary: "TCP port, 0 for any free one (default: $PORT, else 8080)" },
  host: {
    value: "HOST",
    summary: "Name or address to listen on (default: $HOST, else localhost)",
  },
  socket: { value: "PATH", summary: "Listen on a Unix socket instead" },
  backlog: {
    value: "N",
    summary: "Connections the system may hold until accepted (default: 511)",
  },
  workers: {
    value: "N",
    summary: "How many: N, MIN-MAX, threads (5 × cores) or processes (2 × cores + 1)",
  },
  import: importOption,
  "drain-timeout": {
    value: "SECONDS",
    summary: "Longest wait for requests to end once it is stopped (default: 30)",
  },
};

/** What `millrace serve` was told, checked. What is undefined is left to `createServer`. */
export interface ServeOptions {
  readonly port: number | undefined;
  readonly host: string | undefined;
  readonly socketPath: string | undefined;
  readonly backlog: number | undefined;
  readonly workers: WorkerCount | undefined;
  readonly drainTimeoutMs: number;
}

const drainTimeoutSecondsDefault = 30;
/** The longest a timer of Node's can wait is 2³¹ − 1 ms; this is a day. */
const drainTimeoutSecondsMax = 86_400;
const backlogMax = 65_535;

/** Reads options and their defaults in the environment. Throws UsageError. */
export function readServeOptions(args: Arguments, env: NodeJS.ProcessEnv): ServeOptions {
  const socketPath = args.get("socket");
  if (socketPath !== undefined && (args.has("port") || args.has("host"))) {
    throw new UsageError("Give either --socket or --host and --port, not both");
  }
  return {
    port: readPort(args, env),
    host: args.get("host") ?? (env["HOST"] || undefined),
    socketPath,
    backlog: readWhole("--backlog", args.get("backlog"), { min: 1, max: backlogMax }),
    workers: readWorkers(args.get("workers")),
    drainTimeoutMs: readDrainTimeoutMs(args.get("drain-timeout")),
  };
}

function readPort(args: Arguments, env: NodeJS.ProcessEnv): number | undefined {
  const range = { min: 0, max: 65_535 };
  const flag = readWhole("--port", args.get("port"), range);
  return flag ?? readWhole("PORT in the environment", env["PORT"] || undefined, range);
}

function readWhole(
  name: string,
  text: string | undefined,
  { min, max }: { readonly min: number; readonly max: number },
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(`${name} can't be ${text}: give a whole number from ${min} to ${max}`);
}

function readWorkers(text: string | undefined): WorkerCount | undefined {
  if (text === undefined) return undefined;
  const count = parseWorkers(text);
  try {
    resolveWorkerCount(count, availableParallelism());
  } catch (error) {
    throw error instanceof ConfigError
      ? new UsageError(`--workers ${text}: ${error.message}`)
      : error;
  }
  return count;
}

function parseWorkers(text: string): WorkerCount {
  if (text === "threads" || text === "processes") return text;
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (match === null) {
    throw new UsageError(
      `--workers can't be ${text}: give a number, MIN-MAX, threads or processes`,
    );
  }
  const [, min, max] = match;
  return max === undefined ? Number(min) : { min: Number(min), max: Number(max) };
}

function readDrainTimeoutMs(text: string | undefined): number {
  if (text === undefined) return drainTimeoutSecondsDefault * 1_000;
  const seconds = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && seconds <= drainTimeoutSecondsMax)
    return Math.round(seconds * 1_000);
  throw new UsageError(
    `--drain-timeout can't be ${text}: give seconds from 0 to ${drainTimeoutSecondsMax}`,
  );
}
