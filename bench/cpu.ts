/**
 * CPU time of a process tree. Two clocks are read:
 *
 * - `/proc/<pid>/task/<tid>/schedstat`: nanoseconds on the CPU, exact for a thread that sleeps, at
 *   most one scheduler tick behind for one that runs. Threads that have ended are gone from it.
 * - `/proc/<pid>/stat`: ticks of 10 ms, user and system each rounded down. Over 2 s of load that is
 *   up to 1 % off, but threads and waited-for children that have ended are still in it.
 *
 * So the first is used, and the second only when a thread or process ended in between.
 */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { processTree, readProc, readStat } from "./process-tree.ts";

/** What `cpuBetween` compares: the clocks of one process tree at one moment. */
export interface CpuSnapshot {
  /** Nanoseconds on the CPU by `pid/tid`; null where the kernel keeps no such count. */
  readonly threads: ReadonlyMap<string, number> | null;
  readonly ticks: number;
}

/** CPU time that a tree used, and which of the two clocks said so. */
export interface CpuUsed {
  readonly microseconds: number;
  readonly clock: "schedstat" | "stat";
}

const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** Reads the clocks of a process and all its descendants. */
export function cpuSnapshot(rootPid: number): CpuSnapshot {
  const threads = new Map<string, number>();
  let ticks = 0;
  for (const pid of processTree(rootPid)) {
    ticks += readStat(pid)?.cpuTicks ?? 0;
    for (const tid of threadsOf(pid)) {
      const text = readProc(`/proc/${pid}/task/${tid}/schedstat`);
      if (text !== null) threads.set(`${pid}/${tid}`, Number(text.split(" ")[0]));
    }
  }
  const kept = [...threads.values()].some((nanoseconds) => nanoseconds > 0);
  return { threads: kept ? threads : null, ticks };
}

/** User + system time of the whole tree between two snapshots of it. */
export function cpuBetween(before: CpuSnapshot, after: CpuSnapshot): CpuUsed {
  const exact = nanosecondsBetween(before, after);
  if (exact !== null) return { microseconds: exact / 1e3, clock: "schedstat" };
  const seconds = (after.ticks - before.ticks) / ticksPerSecond;
  return { microseconds: seconds * 1e6, clock: "stat" };
}

/** What `othersBetween` compares. */
export interface MachineSnapshot {
  readonly busyTicks: number;
  /** Ours and the server's: neither is a disturbance. */
  readonly knownTicks: number;
  readonly atMs: number;
}

/** Reads the machine's clock, ours (with the load tools we have waited for) and the server's. */
export function machineSnapshot(serverPid: number): MachineSnapshot {
  const line = readProc("/proc/stat")?.split("\n")[0] ?? "";
  // proc(5): cpu user nice system idle iowait irq softirq steal …
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line
    .split(/\s+/)
    .slice(1)
    .map(Number);
  let knownTicks = readStat(process.pid)?.cpuTicks ?? 0;
  for (const pid of processTree(serverPid)) knownTicks += readStat(pid)?.cpuTicks ?? 0;
  const busyTicks = user + nice + system + irq + softirq;
  return { busyTicks, knownTicks, atMs: performance.now() };
}

/** Cores that processes we know nothing of kept busy meanwhile: how disturbed a measurement was. */
export function othersBetween(before: MachineSnapshot, after: MachineSnapshot): number {
  const ticks = after.busyTicks - before.busyTicks - (after.knownTicks - before.knownTicks);
  return Math.max(0, (ticks / ticksPerSecond / (after.atMs - before.atMs)) * 1e3);
}

function nanosecondsBetween(before: CpuSnapshot, after: CpuSnapshot): number | null {
  if (before.threads === null || after.threads === null) return null;
  let nanoseconds = 0;
  for (const [thread, atEnd] of after.threads)
    nanoseconds += atEnd - (before.threads.get(thread) ?? 0);
  for (const thread of before.threads.keys()) if (!after.threads.has(thread)) return null;
  return nanoseconds;
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ESRCH") return [];
    throw cause;
  }
}
