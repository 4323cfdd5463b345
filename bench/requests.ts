/** CPU per request, requests/s and latency: every shape × server, in interleaved rounds. */
import { cpuBetween, cpuSnapshot, machineSnapshot, othersBetween, type CpuUsed } from "./cpu.ts";
import type { Bench } from "./bench.ts";
import { shapes, verifyAnswer, type Shape } from "./shapes.ts";
import { startServer, type RunningServer, type ServerDefinition } from "./servers.ts";
import { median, spread } from "./statistics.ts";

/** One server measured for one round at one point. */
export interface Sample {
  /** Server CPU per request: user + system time of its whole process tree, in µs. */
  readonly cpuUs: number;
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Share of the server's core that it used; near 1 the server is the limit, not the load tool. */
  readonly busy: number;
  /** Cores that others on this machine kept busy meanwhile. */
  readonly othersCores: number;
  readonly clock: CpuUsed["clock"];
}

/** One server at one point, over all rounds: medians, or what went wrong. */
export interface Cell {
  readonly server: string;
  readonly title: string;
  readonly samples: readonly Sample[];
  readonly median: Omit<Sample, "clock"> | null;
  /** Half the range of `cpuUs` over its median. */
  readonly cpuSpread: number;
  /** Median over the rounds of this server's `cpuUs` over that of the other in the same round. */
  readonly timesNode: number | null;
  readonly timesBun: number | null;
  readonly error: string | null;
}

/** One row group of the report: a shape at a number of connections. */
export interface Point {
  readonly shape: string;
  readonly title: string;
  readonly connections: number;
  readonly cells: readonly Cell[];
}

/** What is gathered for a cell while the rounds run. */
interface Draft {
  readonly definition: ServerDefinition;
  readonly shape: Shape;
  readonly connections: number;
  readonly samples: Sample[];
  error: string | null;
}

/** A cell in one round: its server runs, and its answer was right. */
interface Target {
  readonly draft: Draft;
  readonly server: RunningServer;
  /** Size of the right answer on the wire. */
  readonly wireBytes: number;
}

/**
 * Measures all rounds. Each starts fresh processes: a node:http was once seen to take 24 to 35 %
 * more CPU for pipelined requests from its second round to its fifth, cause unknown. When one
 * process has such a state, only the median over several tells it from what the server is.
 */
export async function measureRequests(bench: Bench): Promise<Point[]> {
  const drafts = draftsFor(bench);
  for (let round = 1; round <= bench.options.rounds; round += 1) {
    await measureRound(bench, drafts, `round ${round}/${bench.options.rounds}`);
  }
  return pointsOf(bench, drafts);
}

/** Starts, verifies and warms all servers, measures each cell once, verifies, and stops them. */
async function measureRound(bench: Bench, drafts: readonly Draft[], round: string): Promise<void> {
  bench.progress(`${round}: starting`);
  const running = await startAll(bench, drafts);
  try {
    const targets = await verifyAll(drafts, running);
    const warm = new Set<string>();
    for (const target of targets) {
      const { draft } = target;
      const what = `${draft.definition.name} ${draft.shape.name}`;
      if (warm.has(what)) continue;
      warm.add(what);
      bench.progress(`${round}, warm-up: ${nameOf(draft)}`);
      const seconds = bench.options.warmupSeconds;
      await attempt(draft, () => bench.load.run({ ...loadOptions(bench, target), seconds }));
    }
    for (const target of targets) {
      bench.progress(`${round}: ${nameOf(target.draft)}`);
      await attempt(target.draft, async () => {
        target.draft.samples.push(await sample(bench, target));
      });
    }
    await verifyAll(drafts, running);
  } finally {
    await Promise.all([...running.values()].map((server) => server.stop()));
  }
}

/** In the order they are measured: servers follow each other within a point. */
function draftsFor(bench: Bench): Draft[] {
  return shapes
    .filter((shape) => bench.options.shapes.includes(shape.name))
    .flatMap((shape) => shape.connections.map((connections) => ({ shape, connections })))
    .filter(({ connections }) => bench.options.connections.includes(String(connections)))
    .flatMap((point) =>
      bench.servers
        .filter((definition) => definition.shapes?.includes(point.shape.name) ?? true)
        .map((definition) => ({ ...point, definition, samples: [], error: null })),
    );
}

/** One server for each definition that has a cell left to measure. */
async function startAll(bench: Bench, drafts: readonly Draft[]) {
  const running = new Map<ServerDefinition, RunningServer>();
  const cpu = bench.affinity?.serverCpu ?? null;
  for (const definition of bench.servers) {
    const cells = drafts.filter((draft) => draft.definition === definition && draft.error === null);
    if (cells.length === 0) continue;
    try {
      running.set(definition, await startServer(definition, { cpu }));
    } catch (error) {
      for (const draft of cells) draft.error = messageOf(error);
    }
  }
  return running;
}

/** The cells whose servers answer rightly; the others are marked. */
async function verifyAll(
  drafts: readonly Draft[],
  running: ReadonlyMap<ServerDefinition, RunningServer>,
): Promise<Target[]> {
  const targets: Target[] = [];
  for (const draft of drafts) {
    const { definition, shape } = draft;
    const server = running.get(definition);
    if (server === undefined) continue;
    await attempt(draft, async () => {
      const wireBytes = await verifyAnswer(definition.title, shape, server.port);
      targets.push({ draft, server, wireBytes });
    });
  }
  return targets;
}

async function sample(bench: Bench, target: Target): Promise<Sample> {
  const { pid } = target.server;
  const machineBefore = machineSnapshot(pid);
  const before = cpuSnapshot(pid);
  const result = await bench.load.run(loadOptions(bench, target));
  const used = cpuBetween(before, cpuSnapshot(pid));
  return {
    cpuUs: used.microseconds / result.requests,
    requestsPerSecond: result.requests / result.seconds,
    p50Us: result.p50Us,
    p99Us: result.p99Us,
    busy: used.microseconds / 1e6 / result.seconds,
    othersCores: othersBetween(machineBefore, machineSnapshot(pid)),
    clock: used.clock,
  };
}

function loadOptions(bench: Bench, { draft, server, wireBytes }: Target) {
  const { shape, connections } = draft;
  const cpu = bench.affinity?.loadCpu ?? null;
  const { seconds } = bench.options;
  return { shape, connections, wireBytes, cpu, seconds, port: server.port };
}

/** A cell that failed once is not measured again: its number would hide the failure. */
async function attempt(draft: Draft, step: () => Promise<unknown>): Promise<void> {
  if (draft.error !== null) return;
  try {
    await step();
  } catch (error) {
    draft.error = messageOf(error);
  }
}

function pointsOf(bench: Bench, drafts: readonly Draft[]): Point[] {
  const groups = Object.values(
    Object.groupBy(drafts, (draft) => `${draft.shape.name} ${draft.connections}`),
  );
  return groups.flatMap((group) => {
    const first = group?.[0];
    if (group === undefined || first === undefined) return [];
    const { shape, connections } = first;
    const node = group.find((draft) => draft.definition.name === "node");
    const bun = group.find((draft) => draft.definition.name === "bun");
    const cells = group.map((draft) => cellOf(draft, { node, bun }));
    for (const cell of cells) {
      if (cell.error === null) continue;
      bench.fail(`${shape.name} at ${connections}, ${cell.title}: ${cell.error}`);
    }
    return [{ shape: shape.name, title: shape.title, connections, cells }];
  });
}

function cellOf(
  draft: Draft,
  peers: { readonly node: Draft | undefined; readonly bun: Draft | undefined },
): Cell {
  const { samples, error } = draft;
  const { name, title } = draft.definition;
  const cpu = samples.map((each) => each.cpuUs);
  const over = (pick: (each: Sample) => number) => median(samples.map(pick));
  const medians = {
    cpuUs: median(cpu),
    requestsPerSecond: over((each) => each.requestsPerSecond),
    p50Us: over((each) => each.p50Us),
    p99Us: over((each) => each.p99Us),
    busy: over((each) => each.busy),
    othersCores: over((each) => each.othersCores),
  };
  return {
    server: name,
    title,
    samples,
    median: error === null ? medians : null,
    cpuSpread: spread(cpu),
    timesNode: timesOf(draft, peers.node),
    timesBun: timesOf(draft, peers.bun),
    error,
  };
}

/** Paired by round, so that a slow minute of the machine weighs on both sides. */
function timesOf(draft: Draft, peer: Draft | undefined): number | null {
  if (peer === undefined || peer.error !== null || draft.error !== null) return null;
  return median(
    draft.samples.map((each, round) => each.cpuUs / (peer.samples[round]?.cpuUs ?? NaN)),
  );
}

function nameOf(draft: Draft): string {
  return `${draft.shape.name} at ${draft.connections}, ${draft.definition.title}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
