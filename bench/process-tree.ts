import { readdirSync, readFileSync } from "node:fs";

/** A process and all its descendants that are alive now, parents first. Linux only (`/proc`). */
export function processTree(rootPid: number): number[] {
  const childrenOf = new Map<number, number[]>();
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    const stat = Number.isInteger(pid) ? readStat(pid) : null;
    if (stat === null) continue;
    const siblings = childrenOf.get(stat.parentPid);
    if (siblings === undefined) childrenOf.set(stat.parentPid, [pid]);
    else siblings.push(pid);
  }
  const tree = [rootPid];
  for (const pid of tree) tree.push(...(childrenOf.get(pid) ?? []));
  return tree;
}

/** What the tools here need of `/proc/<pid>/stat` (proc(5)). */
export interface ProcessStat {
  readonly parentPid: number;
  /** User + system time of the process, its dead threads, and the children it has waited for. */
  readonly cpuTicks: number;
}

/** Reads `/proc/<pid>/stat`; null when there is no such process (any more). */
export function readStat(pid: number): ProcessStat | null {
  const text = readProc(`/proc/${pid}/stat`);
  if (text === null) return null;
  // Field 2 is the name in parentheses and may hold anything, so count from the last parenthesis.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (number: number) => Number(fields[number - 3]);
  return { parentPid: field(4), cpuTicks: field(14) + field(15) + field(16) + field(17) };
}

/** Resident memory of the tree in bytes. Pages that two of its processes share count twice. */
export function residentBytes(rootPid: number): number {
  let bytes = 0;
  for (const pid of processTree(rootPid)) {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readProc(`/proc/${pid}/status`) ?? "");
    if (match !== null) bytes += Number(match[1]) * 1024;
  }
  return bytes;
}

/** Whole text of a file under `/proc`; null when its process is gone. */
export function readProc(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ESRCH") return null;
    throw cause;
  }
}
