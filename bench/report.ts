/** The run's results as Markdown, and as files under `bench/results/`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BenchOptions } from "./bench.ts";
import type { Environment } from "./environment.ts";
import type { IdleResult } from "./idle-connections.ts";
import type { LoopDelayPhase } from "./loop-delay.ts";
import type { Cell, Point } from "./requests.ts";
import type { StartupResult } from "./startup.ts";
import { median } from "./statistics.ts";

/** Everything that one run found; this is what the JSON file holds. */
export interface Results {
  /** Of this structure; raised when a field changes its meaning. */
  readonly version: 1;
  readonly scenario: string;
  readonly environment: Environment;
  readonly options: BenchOptions;
  readonly requests: readonly Point[];
  readonly idleConnections: readonly IdleResult[];
  readonly startup: readonly StartupResult[];
  readonly loopDelay: readonly LoopDelayPhase[];
  /** Servers that could not take part, and why. */
  readonly skipped: readonly string[];
  /** What went wrong; a number that would be wrong is left out. */
  readonly failures: readonly string[];
}

/** The report, for people. */
export function markdownOf(results: Results): string {
  return [
    `# Benchmark: ${results.scenario}`,
    environmentLine(results),
    ...list("Left out", results.skipped),
    ...list("Failures", results.failures),
    ...results.requests.flatMap(pointSection),
    ...idleSection(results.idleConnections),
    ...startupSection(results.startup),
    ...loopDelaySection(results.loopDelay),
  ]
    .join("\n\n")
    .concat("\n");
}

/** Writes `<date>-<name>.json`, `latest.json` and `latest.md`; returns the path of the first. */
export function saveResults(results: Results, name: string): string {
  const folder = join(import.meta.dirname, "results");
  mkdirSync(folder, { recursive: true });
  const date = results.environment.date.slice(0, 16).replace(":", "");
  const json = `${JSON.stringify(results, null, 1)}\n`;
  const path = join(folder, `${date}-${name}.json`);
  writeFileSync(path, json);
  writeFileSync(join(folder, "latest.json"), json);
  writeFileSync(join(folder, "latest.md"), markdownOf(results));
  return path;
}

function environmentLine({ environment, options, requests }: Results): string {
  const { date, cpuModel, cores, os, node, load, pinning, loadAverage, versions } = environment;
  const machine = `${cpuModel}, ${cores} cores, ${os}, Node ${node}`;
  const how = `${load}; ${pinning}; ${options.rounds} × ${options.seconds} s, medians over rounds`;
  return [
    `${date.slice(0, 16)}Z · ${machine} · ${how} · load average before: ${loadAverage.toFixed(2)}.`,
    `${[...new Set(Object.values(versions))].join(", ")}.`,
    ...disturbance(requests),
  ].join("\n");
}

/** How much of the machine others took: on a shared one, trust the ratios and not the rest. */
function disturbance(points: readonly Point[]): string[] {
  const cells = points.flatMap((point) => point.cells);
  const cores = cells.flatMap((cell) => cell.samples.map((sample) => sample.othersCores));
  if (cores.length === 0) return [];
  const [middle, most] = [median(cores).toFixed(2), Math.max(...cores).toFixed(2)];
  return [`Others on this machine kept ${middle} cores busy meanwhile (median; at most ${most}).`];
}

function list(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`${title}:`, items.map((item) => `- ${item}`).join("\n")];
}

function pointSection({ title, connections, cells }: Point): string[] {
  const columns = ["server", "CPU µs/request", "±", "× node:http", "× Bun", "requests/s"];
  const head = [...columns, "p50", "p99", "core busy"];
  const heading = `## ${title}, ${connections} connection${connections === 1 ? "" : "s"}`;
  return [heading, table(head, cells.map(cellRow))];
}

function cellRow(cell: Cell): string[] {
  const { median: middle } = cell;
  if (middle === null) return [cell.title, "error", "", "", "", "", "", "", ""];
  return [
    cell.title,
    middle.cpuUs.toFixed(2),
    percent(cell.cpuSpread),
    times(cell.timesNode),
    times(cell.timesBun),
    grouped(middle.requestsPerSecond),
    latency(middle.p50Us),
    // wrk loses count of late answers when they are pipelined; then it says nothing of use.
    middle.p99Us < middle.p50Us ? "n/a" : latency(middle.p99Us),
    percent(middle.busy),
  ];
}

function idleSection(results: readonly IdleResult[]): string[] {
  const [first] = results;
  if (first === undefined) return [];
  const rows = results.map((each) => [
    each.title,
    `${(each.bytesPerConnection / 1024).toFixed(1)} KB`,
    megabytes(each.residentBefore),
    megabytes(each.residentAfter),
  ]);
  const heading = `## Idle keep-alive connections: ${grouped(first.connections)}`;
  return [heading, table(["server", "per connection", "RSS before", "RSS after"], rows)];
}

function startupSection(results: readonly StartupResult[]): string[] {
  const [first] = results;
  if (first === undefined) return [];
  const heading = `## Start to first answer, median of ${first.startsMs.length}`;
  const rows = results.map((each) => [
    each.title,
    `${each.medianMs.toFixed(0)} ms`,
    `${each.minMs.toFixed(0)} ms`,
    `${each.maxMs.toFixed(0)} ms`,
  ]);
  return [heading, table(["server", "median", "min", "max"], rows)];
}

function loopDelaySection(phases: readonly LoopDelayPhase[]): string[] {
  if (phases.length === 0) return [];
  const head = ["workers", "what", "p50", "p99", "max", "answered", "unanswered"];
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  const rows = phases.flatMap((phase) => {
    const edge = [phase.edgeP50Ms, phase.edgeP99Ms, phase.edgeMaxMs].map(ms);
    return [
      [phase.name, "edge loop delay", ...edge, "", ""],
      ...phase.light.map((each) => [
        phase.name,
        `GET ${each.route}`,
        ...[each.p50Ms, each.p99Ms, each.maxMs].map(ms),
        grouped(each.answered),
        grouped(each.unanswered),
      ]),
    ];
  });
  const notes = phases.map((phase) => {
    const late = `the client itself was late by ${ms(phase.clientLateP99Ms)} (p99)`;
    return `${phase.name}: ${phase.spinsPerSecond.toFixed(1)} spins/s, ${late}`;
  });
  return ["## Edge loop delay beside spinning workers", table(head, rows), `${notes.join("; ")}.`];
}

/** First column to the left, numbers to the right; padded, so that it reads well unrendered. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) => {
    const cells = widths.map((width, column) => {
      const text = row[column] ?? "";
      return column === 0 ? text.padEnd(width) : text.padStart(width);
    });
    return `| ${cells.join(" | ")} |`;
  };
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  return [line(head), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`;
}

function times(ratio: number | null): string {
  return ratio === null ? "–" : ratio.toFixed(2);
}

function latency(us: number): string {
  return us < 1_000 ? `${us.toFixed(0)} µs` : `${(us / 1e3).toFixed(2)} ms`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`;
}
