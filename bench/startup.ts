/** Time from the start of the process to its first answer. */
import type { Bench } from "./bench.ts";
import { startServer } from "./servers.ts";
import { median } from "./statistics.ts";

/** One server's starts, in ms. */
export interface StartupResult {
  readonly server: string;
  readonly title: string;
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly startsMs: readonly number[];
}

/** Starts and stops every server in turn. Not pinned: a start may use all cores. */
export async function measureStartup(bench: Bench): Promise<StartupResult[]> {
  const { startupRounds } = bench.options;
  const starts = new Map(bench.servers.map((server) => [server, [] as number[]]));
  for (let round = 1; round <= startupRounds; round += 1) {
    bench.progress(`startup: round ${round}/${startupRounds}`);
    for (const [definition, startsMs] of starts) {
      const server = await bench.attempt(`startup, ${definition.title}`, () =>
        startServer(definition, { cpu: null }),
      );
      if (server === null) continue;
      startsMs.push(server.startupMs);
      await server.stop();
    }
  }
  return [...starts]
    .filter(([, startsMs]) => startsMs.length === startupRounds)
    .map(([{ name, title }, startsMs]) => ({
      server: name,
      title,
      medianMs: median(startsMs),
      minMs: Math.min(...startsMs),
      maxMs: Math.max(...startsMs),
      startsMs,
    }));
}
