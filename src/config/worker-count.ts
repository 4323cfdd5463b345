import { ConfigError } from "../core/errors.ts";

/**
 * How many workers run: a number, a range, or one of the classic rules: `"threads"` for 5 × cores,
 * `"processes"` for 2 × cores + 1.
 */
export type WorkerCount =
  number | { readonly min: number; readonly max: number } | "threads" | "processes";

/** Most workers a server may be told to run; each costs about 15 MB. */
const workersMax = 1_024;

/**
 * Resolves what was asked for to a range.
 *
 * The default is one more than there are cores: heavy requests can then keep every core busy, and
 * there is still a worker for the others.
 * @throws ConfigError `WORKERS` for anything but whole numbers from 1, min not above max
 */
export function resolveWorkerCount(
  count: WorkerCount | undefined,
  cores: number,
): { readonly min: number; readonly max: number } {
  if (count === undefined) return fixed(cores + 1);
  if (count === "threads") return fixed(5 * cores);
  if (count === "processes") return fixed(2 * cores + 1);
  const range = typeof count === "number" ? fixed(count) : count;
  const { min, max } = range;
  if (!isCount(min) || !isCount(max) || min > max) {
    const asked = typeof count === "number" ? String(count) : JSON.stringify(count);
    throw new ConfigError(
      "WORKERS",
      `Cannot run ${asked} workers: give a whole number from 1 to ${workersMax}, { min, max }, ` +
        '"threads" or "processes"',
    );
  }
  return range;
}

function fixed(count: number): { readonly min: number; readonly max: number } {
  return { min: count, max: count };
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= workersMax;
}
