import type { Placement } from "../core/application.ts";
import { ConfigError } from "../core/errors.ts";
import { nearestOf } from "../core/nearest.ts";

/** What an application, or one of its routes, may say about its requests. */
export interface RequestBounds {
  /**
   * Largest request body, in bytes; beyond it the client gets 413 and the handler never more than
   * this. 1 MiB unless given: enough for any form, too little to fill memory with.
   */
  readonly bodyLimit?: number;
  /**
   * Longest wait for a worker, in ms; beyond it the client gets 503 and the handler never starts.
   * 30,000 unless given: whoever waited that long is gone, or soon will be.
   */
  readonly queueTimeoutMs?: number;
}

/** What `app()` takes: bounds for every route that doesn't set its own. */
export type AppOptions = RequestBounds;

/** What a route may say about itself. */
export interface RouteOptions extends RequestBounds {
  /**
   * Where its handler runs: `"thread"`, a worker, unless given. `"edge"` saves the way to a worker,
   * but while such a handler computes, the server does nothing else: only for what takes
   * microseconds.
   */
  readonly placement?: Placement;
  /** Of waiting requests, higher ones start first: a whole number from −8 to 8, 0 unless given. */
  readonly priority?: number;
}

/** The bounds that hold where nobody set any; `RequestBounds` says why. */
export const defaultBounds: Required<RequestBounds> = {
  bodyLimit: 1_048_576,
  queueTimeoutMs: 30_000,
};

const checks: Readonly<
  Record<keyof RouteOptions, { isRight(value: unknown): boolean; wanted: string }>
> = {
  placement: {
    isRight: (value) => value === "edge" || value === "thread",
    wanted: `"edge" or "thread"`,
  },
  bodyLimit: {
    isRight: (value) => isWhole(value) && value >= 0,
    wanted: "a whole number of bytes from 0",
  },
  queueTimeoutMs: {
    isRight: (value) => isWhole(value) && value >= 1,
    wanted: "a whole number of ms from 1",
  },
  priority: {
    isRight: (value) => isWhole(value) && value >= -8 && value <= 8,
    wanted: "a whole number from −8 to 8",
  },
};

/**
 * Throws `ConfigError` `ROUTE_OPTION` unless `options` are a route's, saying what is wrong and what
 * was meant.
 */
export function checkRouteOptions(options: RouteOptions, where: string): void {
  check(options, ["placement", "bodyLimit", "queueTimeoutMs", "priority"], "ROUTE_OPTION", where);
}

/** Throws `ConfigError` `APP_OPTION` unless `options` are an application's. */
export function checkAppOptions(options: AppOptions): void {
  check(options, ["bodyLimit", "queueTimeoutMs"], "APP_OPTION", "app()");
}

function check(
  options: RouteOptions,
  known: readonly (keyof RouteOptions)[],
  code: string,
  where: string,
): void {
  if (typeof options !== "object" || options === null) {
    throw new ConfigError(code, `${where}: the options must be an object, not ${typeof options}`);
  }
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    const option = known.find((candidate) => candidate === name);
    if (option === undefined) {
      const nearest = nearestOf(name, known);
      const hint =
        nearest === undefined ? `known are ${known.join(", ")}` : `did you mean ${nearest}?`;
      throw new ConfigError(code, `${where}: there is no option ${name}; ${hint}`);
    }
    const check = checks[option];
    if (value !== undefined && !check.isRight(value)) {
      const is = JSON.stringify(value);
      throw new ConfigError(code, `${where}: ${name} is ${is}; give ${check.wanted}`);
    }
  }
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
