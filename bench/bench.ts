import type { Affinity } from "./affinity.ts";
import type { LoadTool } from "./load.ts";
import type { ServerDefinition } from "./servers.ts";

/** What one run measures, and for how long. */
export interface BenchOptions {
  readonly rounds: number;
  /** Whole seconds of load for one server at one point in one round. */
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** Names of shapes. */
  readonly shapes: readonly string[];
  /** Numbers of connections; a shape is measured at those of them that it knows. */
  readonly connections: readonly string[];
  /** Names of sections. */
  readonly sections: readonly string[];
  readonly idleConnections: number;
  readonly startupRounds: number;
  readonly loopDelaySeconds: number;
}

/** What every section is given: what to measure, with what, and where to say how it goes. */
export class Bench {
  readonly options: BenchOptions;
  readonly servers: readonly ServerDefinition[];
  /** Null where processes cannot be pinned: then nobody is. */
  readonly affinity: Affinity | null;
  readonly load: LoadTool;
  readonly #failures: string[] = [];

  constructor(parts: Pick<Bench, "options" | "servers" | "affinity" | "load">) {
    this.options = parts.options;
    this.servers = parts.servers;
    this.affinity = parts.affinity;
    this.load = parts.load;
  }

  /** What could not be measured, in sentences. A run with failures ends with exit code 1. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  /** Tells the person who waits; stdout is kept for the report. */
  progress(what: string): void {
    const clear = process.stderr.isTTY ? "\r\x1b[K" : "";
    process.stderr.write(`${clear}bench: ${what}${process.stderr.isTTY ? "" : "\n"}`);
  }

  /** Records a failure; the run goes on with the rest. */
  fail(what: string): void {
    this.#failures.push(what);
    this.progress(`FAILED: ${what}\n`);
  }

  /** Runs one step; a failure is recorded under `what`, and null returned. */
  async attempt<T>(what: string, step: () => Promise<T>): Promise<T | null> {
    try {
      return await step();
    } catch (error) {
      this.fail(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
  }
}
