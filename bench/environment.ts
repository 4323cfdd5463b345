import { cpus, loadavg, release, type } from "node:os";
import type { Bench } from "./bench.ts";

/** Where and when a run was made: numbers mean little without. */
export interface Environment {
  readonly date: string;
  readonly cpuModel: string;
  readonly cores: number;
  readonly os: string;
  readonly node: string;
  readonly load: string;
  readonly pinning: string;
  /** Of the machine in the minute before the run: others' work disturbs ours. */
  readonly loadAverage: number;
  readonly versions: Readonly<Record<string, string>>;
}

/** Describes this machine and what will be compared on it. */
export function environmentOf(bench: Bench): Environment {
  const { affinity } = bench;
  const cores = cpus();
  return {
    date: new Date().toISOString(),
    cpuModel: cores[0]?.model.trim() ?? "unknown CPU",
    cores: cores.length,
    os: `${type()} ${release()}`,
    node: process.version,
    load: bench.load.title,
    pinning:
      affinity === null
        ? "nothing pinned"
        : `server on CPU ${affinity.serverCpu}, load on CPU ${affinity.loadCpu}`,
    loadAverage: loadavg()[0] ?? NaN,
    versions: Object.fromEntries(bench.servers.map((each) => [each.title, each.version()])),
  };
}
