/** Closed-loop load: a number of connections, each asking again as soon as it is answered. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { pinned } from "./affinity.ts";
import { BenchError } from "./errors.ts";
import { findExecutable } from "./executables.ts";
import type { Shape } from "./shapes.ts";

/** How far bytes per answer may be from what `verifyAnswer` saw: answers cut off at the end. */
const WIRE_BYTES_TOLERANCE = 0.02;

/** Longest wait for one answer before it is an error, in s. */
const ANSWER_TIMEOUT_S = 5;

/** One stretch of load. */
export interface LoadOptions {
  readonly shape: Shape;
  readonly port: number;
  readonly connections: number;
  /** Whole seconds. */
  readonly seconds: number;
  /** Where the load tool runs; null is anywhere. */
  readonly cpu: number | null;
  /** Size of the right answer on the wire. */
  readonly wireBytes: number;
}

/** What the load tool saw. Latency is from request to answer; of a whole batch when pipelined. */
export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** A program that makes load. */
export interface LoadTool {
  readonly name: "wrk" | "autocannon";
  /** For the report, with what is to be known about its numbers. */
  readonly title: string;
  /** Throws `BenchError` on any error or unexpected answer. */
  run(options: LoadOptions): Promise<LoadResult>;
}

/** wrk when it is installed, else autocannon. */
export function chooseLoadTool(): LoadTool {
  if (findExecutable("wrk") !== null) return { name: "wrk", title: "wrk, one thread", run: runWrk };
  const title =
    "autocannon (wrk is not installed): latencies in whole ms, and the load tool may be the limit";
  return { name: "autocannon", title, run: runAutocannon };
}

async function runWrk(options: LoadOptions): Promise<LoadResult> {
  const { shape, port } = options;
  const depth = shape.pipelineDepth;
  const script = depth === 1 ? "request.lua" : "pipeline.lua";
  const args = ["-t1", `-c${options.connections}`, `-d${options.seconds}s`];
  args.push("--timeout", `${ANSWER_TIMEOUT_S}s`, "-s", script);
  for (const [name, value] of Object.entries(shape.headers)) args.push("-H", `${name}: ${value}`);
  args.push(`http://127.0.0.1:${port}${shape.path}`, "--", shape.method);
  if (depth > 1) args.push(String(depth));
  else if (shape.body !== null) args.push(shape.body);
  const output = await outputOf(["wrk", ...args], options.cpu);

  const line = /^BENCH (.+)$/m.exec(output)?.[1];
  if (line === undefined) throw new BenchError("WRK_OUTPUT", `wrk said no result: ${output}`);
  const seen = new Map(line.split(" ").map((pair) => pair.split("=") as [string, string]));
  const field = (name: string) => Number(seen.get(name));
  const errors = ["connect", "read", "write", "status", "timeout"].filter(
    (name) => field(name) > 0,
  );
  if (errors.length > 0) {
    const counts = errors.map((name) => `${name} ${field(name)}`).join(", ");
    throw new BenchError("LOAD_ERRORS", `wrk saw errors: ${counts}`);
  }
  checkBytes(field("bytes"), field("requests"), options.wireBytes);
  return {
    requests: field("requests"),
    seconds: field("duration") / 1e6,
    p50Us: field("p50"),
    p99Us: field("p99"),
  };
}

/** As much of autocannon's `--json` as is read here. */
interface AutocannonResult {
  readonly requests: { readonly total: number };
  readonly latency: { readonly p50: number; readonly p99: number };
  readonly throughput: { readonly total: number };
  readonly duration: number;
  readonly errors: number;
  readonly timeouts: number;
  readonly non2xx: number;
}

async function runAutocannon(options: LoadOptions): Promise<LoadResult> {
  const { shape, port } = options;
  const args = [join(import.meta.dirname, "node_modules/autocannon/autocannon.js"), "--json"];
  args.push("-c", String(options.connections), "-d", String(options.seconds));
  args.push("-p", String(shape.pipelineDepth), "-t", String(ANSWER_TIMEOUT_S), "-m", shape.method);
  for (const [name, value] of Object.entries(shape.headers)) args.push("-H", `${name}=${value}`);
  if (shape.body !== null) args.push("-b", shape.body);
  args.push(`http://127.0.0.1:${port}${shape.path}`);
  const output = await outputOf([process.execPath, ...args], options.cpu);
  const result = JSON.parse(output.slice(output.indexOf("{"))) as AutocannonResult;
  const { errors, timeouts, non2xx } = result;
  if (errors + timeouts + non2xx > 0) {
    const counts = `${errors} errors, ${timeouts} timeouts, ${non2xx} not 2xx`;
    throw new BenchError("LOAD_ERRORS", `autocannon saw ${counts}`);
  }
  checkBytes(result.throughput.total, result.requests.total, options.wireBytes);
  return {
    requests: result.requests.total,
    seconds: result.duration,
    p50Us: result.latency.p50 * 1e3,
    p99Us: result.latency.p99 * 1e3,
  };
}

/** Load tools do not look at bodies; a wrong one would mostly be of another size. */
function checkBytes(bytes: number, requests: number, wireBytes: number): void {
  if (requests === 0) throw new BenchError("LOAD_NOTHING", "Not one request was answered");
  const each = bytes / requests;
  if (Math.abs(each / wireBytes - 1) <= WIRE_BYTES_TOLERANCE) return;
  const what = `Answers under load are of ${each.toFixed(1)} bytes, want ${wireBytes}`;
  throw new BenchError("LOAD_ANSWER_SIZE", what);
}

async function outputOf(command: readonly string[], cpu: number | null): Promise<string> {
  const [file = "", ...args] = pinned(command, cpu);
  const child = spawn(file, args, {
    cwd: join(import.meta.dirname, "wrk"), // Where the scripts find each other.
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  if (code === 0) return stdout;
  const said = `${stdout}${stderr}`.trim();
  throw new BenchError("LOAD_TOOL", `${command[0]} ended with ${code}: ${said}`);
}
