/** The servers that are compared: how each is configured, started and stopped. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { pinned } from "./affinity.ts";
import { TEXT_10K } from "./apps/answers.ts";
import { BenchError } from "./errors.ts";
import { findExecutable, isExecutable } from "./executables.ts";
import { bunExecutable, distBin, root } from "./install.ts";
import { probe } from "./probe.ts";
import { processTree } from "./process-tree.ts";

const READY_TIMEOUT_MS = 20_000;
const READY_POLL_MS = 2;
const STOP_TIMEOUT_MS = 5_000;

/** One way of serving. */
export interface ServerDefinition {
  readonly name: string;
  readonly title: string;
  /** Names of the shapes it can answer; null is all of them. */
  readonly shapes: readonly string[] | null;
  /** Why it cannot run here; null when it can. */
  missing(): string | null;
  /** `folder` is empty and its own, for configuration and temporary files. */
  command(port: number, folder: string): readonly string[];
  /** What exactly runs, e.g. `fastify 5.12.8`. */
  version(): string;
}

/** A server that has answered its first request. */
export interface RunningServer {
  readonly definition: ServerDefinition;
  readonly pid: number;
  readonly port: number;
  /** From just before the process was made to its first answer, in ms. */
  readonly startupMs: number;
  /** SIGTERM, and SIGKILL to the whole tree when that is not obeyed within 5 s. */
  stop(): Promise<void>;
}

/** Everything that is measured, in the order of the report. */
export const servers: readonly ServerDefinition[] = [
  millrace("millrace-worker", "Millrace (worker)", "millrace-worker.ts"),
  millrace("millrace-edge", "Millrace (edge)", "millrace-edge.ts"),
  nodePeer("node", "node:http", "node-http.ts", null),
  nodePeer("fastify", "Fastify", "fastify.ts", "fastify"),
  nodePeer("hono", "Hono on Node", "hono.ts", "hono"),
  {
    name: "bun",
    title: "Bun.serve",
    shapes: null,
    missing: () => (bunExecutable() === null ? "no Bun binary for this platform" : null),
    command: () => [bunExecutable() ?? "bun", join(root, "bench/apps/bun.ts")],
    version: () => `Bun ${firstLine([bunExecutable() ?? "bun", "--version"])}`,
  },
  {
    name: "nginx",
    title: "nginx (return 200)",
    shapes: ["plaintext", "text10k", "pipelined"],
    missing: () => (findExecutable("nginx") === null ? "nginx is not installed" : null),
    command: nginxCommand,
    version: () => firstLine([findExecutable("nginx") ?? "nginx", "-v"]).replace(/^.*: /, ""),
  },
];

/** Millrace serving `bench/apps/<file>`. */
export function millrace(name: string, title: string, file: string): ServerDefinition {
  const serve = [process.execPath, distBin, "serve", join("bench/apps", file)];
  return {
    name,
    title,
    shapes: null,
    missing: () => null, // `requireBuild` has said so already.
    command: (port) => [...serve, "--host", "127.0.0.1", "--port", String(port)],
    version: () => `millrace ${packageVersion("package.json")}`,
  };
}

/** Starts a server on a free port of 127.0.0.1 and waits for its first answer of 200 on `path`. */
export async function startServer(
  definition: ServerDefinition,
  options: { readonly cpu: number | null; readonly path?: string },
): Promise<RunningServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  const logPath = join(folder, "output.log");
  const log = openSync(logPath, "w");
  const [file = "", ...args] = pinned(definition.command(port, folder), options.cpu);
  const startedAt = performance.now();
  const child = spawn(file, args, {
    cwd: root,
    env: { ...process.env, NODE_ENV: "production", PORT: String(port) },
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  const stop = () => stopServer(child, folder);
  try {
    running.set(child, folder);
    await untilReady({ child, port, path: options.path ?? "/plaintext" });
    const startupMs = performance.now() - startedAt;
    return { definition, pid: child.pid ?? 0, port, startupMs, stop };
  } catch (cause) {
    const output = readFileSync(logPath, "utf8").trim().slice(-2_000);
    await stop();
    const message = `${definition.title} did not start${output === "" ? "" : `: ${output}`}`;
    throw new BenchError("SERVER_START", message, { cause });
  }
}

/** Children not known to have ended, and their folders: what ends this process ends them. */
const running = new Map<ChildProcess, string>();
process.on("exit", () => {
  for (const [child, folder] of running) {
    killTree(child);
    rmSync(folder, { recursive: true, force: true });
  }
});

async function untilReady(of: {
  readonly child: ChildProcess;
  readonly port: number;
  readonly path: string;
}): Promise<void> {
  const { child, port, path } = of;
  let spawnError: Error | null = null;
  child.on("error", (error) => (spawnError = error));
  const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    if (spawnError !== null) throw spawnError;
    if (child.exitCode !== null || child.signalCode !== null) {
      const how = child.signalCode ?? `code ${child.exitCode}`;
      throw new BenchError("SERVER_EXIT", `It exited with ${how} before it answered`);
    }
    try {
      if ((await probe(port, request, 1_000)).status === 200) return;
    } catch (cause) {
      if (performance.now() > deadline) {
        const what = `No answer of 200 on ${path} within ${READY_TIMEOUT_MS} ms`;
        throw new BenchError("SERVER_SILENT", what, { cause });
      }
    }
    if (performance.now() > deadline) {
      throw new BenchError("SERVER_NOT_200", `Only refusals on ${path} for ${READY_TIMEOUT_MS} ms`);
    }
    await sleep(READY_POLL_MS);
  }
}

async function stopServer(child: ChildProcess, folder: string): Promise<void> {
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  if (child.pid !== undefined && !ended()) {
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    const timer = setTimeout(() => killTree(child), STOP_TIMEOUT_MS);
    await exit;
    clearTimeout(timer);
  }
  running.delete(child);
  rmSync(folder, { recursive: true, force: true });
}

/** By pid, and only what this process started. */
function killTree(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  for (const pid of processTree(child.pid)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "ESRCH") throw cause;
    }
  }
}

function nodePeer(
  name: string,
  title: string,
  file: string,
  dependency: string | null,
): ServerDefinition {
  return {
    name,
    title,
    shapes: null,
    missing: () => null,
    command: () => [process.execPath, join(root, "bench/apps", file)],
    version: () =>
      dependency === null
        ? `Node ${process.version}`
        : `${dependency} ${packageVersion(`bench/node_modules/${dependency}/package.json`)}`,
  };
}

function nginxCommand(port: number, folder: string): readonly string[] {
  const filled = readFileSync(join(root, "bench/apps/nginx.conf"), "utf8")
    .replaceAll("@PORT@", String(port))
    .replaceAll("@DIR@", folder)
    .replace(/@TEXT_(\d)@/g, (_, third: string) => {
      const length = Math.ceil(TEXT_10K.length / 3);
      return TEXT_10K.slice(Number(third) * length, (Number(third) + 1) * length);
    });
  const path = join(folder, "nginx.conf");
  writeFileSync(path, filled);
  return [findExecutable("nginx") ?? "nginx", "-p", folder, "-c", path];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function packageVersion(path: string): string {
  const { version } = JSON.parse(readFileSync(join(root, path), "utf8")) as { version: string };
  return version;
}

/** First line that a command says on either output; "unknown" when it cannot run. */
function firstLine([file = "", ...args]: readonly string[]): string {
  if (!isExecutable(file)) return "unknown";
  const { stdout, stderr } = spawnSync(file, args, { encoding: "utf8" });
  return (stdout + stderr).split("\n")[0]?.trim() ?? "unknown";
}
