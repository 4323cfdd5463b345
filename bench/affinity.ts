/** Which core serves and which one loads. */
import { readProc } from "./process-tree.ts";
import { findExecutable } from "./executables.ts";

/** Two CPUs on different cores; null where pinning cannot be done. */
export interface Affinity {
  readonly serverCpu: number;
  readonly loadCpu: number;
}

/** The first CPU we may use for the server, and the last that is not its hyperthread for load. */
export function chooseAffinity(): Affinity | null {
  if (findExecutable("taskset") === null) return null;
  const allowed = /^Cpus_allowed_list:\s+(.+)$/m.exec(readProc("/proc/self/status") ?? "")?.[1];
  const cpus = cpuList(allowed ?? "");
  const [serverCpu] = cpus;
  if (serverCpu === undefined) return null;
  const topology = `/sys/devices/system/cpu/cpu${serverCpu}/topology/thread_siblings_list`;
  const siblings = cpuList(readProc(topology) ?? String(serverCpu));
  const loadCpu = cpus.findLast((cpu) => !siblings.includes(cpu));
  return loadCpu === undefined ? null : { serverCpu, loadCpu };
}

/** The command, pinned to one CPU. `taskset` replaces itself by it, so the pid is its own. */
export function pinned(command: readonly string[], cpu: number | null): readonly string[] {
  return cpu === null ? command : ["taskset", "-c", String(cpu), ...command];
}

/** Reads `0-3,8`. */
function cpuList(text: string): number[] {
  return text
    .trim()
    .split(",")
    .filter((range) => range !== "")
    .flatMap((range) => {
      const [first = NaN, last = first] = range.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}
