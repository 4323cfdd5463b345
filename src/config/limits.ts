import { ConfigError } from "../core/errors.ts";
import { nearestOf } from "../core/nearest.ts";

/**
 * Every bound of the server that isn't the application's own. All may be set with `createServer({
 * limits })`.
 */
export interface Limits {
  /**
   * Connections open at once; what comes beyond is closed at once. Each costs about 6 KB and a file
   * descriptor.
   */
  readonly connectionsMax: number;
  /**
   * Requests that wait for a worker; beyond it, 503 at once. What waits longer than clients do is
   * wasted work.
   */
  readonly queuedMax: number;
  /**
   * Requests one worker may be at. High, because most of them only wait for something else; each
   * holds its memory until it is answered.
   */
  readonly concurrency: number;
  /**
   * Requests a worker may hold unstarted. Low, because they wait for that worker alone: the rest
   * waits in the queue.
   */
  readonly unstartedMax: number;
  /**
   * Requests read ahead of the first unanswered one of a connection (pipelining). Beyond, its bytes
   * stay unread.
   */
  readonly pipelinedMax: number;
  /**
   * Bytes of answers a connection may hold for a client that doesn't read; beyond, nothing more is
   * read from it.
   */
  readonly unsentBytesMax: number;
  /** Longest request line in bytes; beyond it, 414. */
  readonly requestLineBytesMax: number;
  /** Longest request head in bytes; beyond it, 431. */
  readonly headBytesMax: number;
  /** Most fields in a head; beyond it, 431. */
  readonly headerCountMax: number;
  /**
   * Longest silence of a connection that never sent a byte, in ms. Frees the sockets of port
   * scanners.
   */
  readonly firstByteTimeoutMs: number;
  /**
   * Longest time from the first byte of a head to its last, in ms; beyond it, 408. Bounds
   * slow-header attacks.
   */
  readonly headTimeoutMs: number;
  /** Longest silence within a request body, in ms; beyond it, 408. */
  readonly bodyTimeoutMs: number;
  /**
   * Longest silence between two requests, in ms. Longer than the 60 s of common load balancers, who
   * must close first.
   */
  readonly keepAliveTimeoutMs: number;
  /**
   * How long a client that has closed its side may wait for the head of its answer, in ms. Most
   * clients that do so are gone, and what they asked for is wasted work; some only say that they
   * will send no more.
   */
  readonly halfClosedTimeoutMs: number;
  /**
   * Longest time a client may take to read anything of what is sent to it, in ms; beyond it, the
   * connection is cut.
   */
  readonly sendTimeoutMs: number;
  /**
   * Longest time to read and drop what a client still sends after a closing answer, in ms, so that
   * it can read it.
   */
  readonly lingerTimeoutMs: number;
}

/** The defaults; `Limits` says why. */
export const defaultLimits: Limits = {
  connectionsMax: 16_384,
  queuedMax: 4_096,
  concurrency: 1_024,
  unstartedMax: 64,
  pipelinedMax: 64,
  unsentBytesMax: 1_048_576,
  requestLineBytesMax: 8_192,
  headBytesMax: 16_384,
  headerCountMax: 100,
  firstByteTimeoutMs: 30_000,
  headTimeoutMs: 15_000,
  bodyTimeoutMs: 30_000,
  keepAliveTimeoutMs: 75_000,
  halfClosedTimeoutMs: 1_000,
  sendTimeoutMs: 60_000,
  lingerTimeoutMs: 2_000,
};

/**
 * Fills in the defaults.
 * @throws ConfigError `LIMIT` for a name that isn't a limit or a value that isn't a whole number
 *   from 1
 */
export function resolveLimits(given: Partial<Limits>): Limits {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaultLimits, name)) {
      const known = Object.keys(defaultLimits);
      const nearest = nearestOf(name, known);
      const hint =
        nearest === undefined ? `there are ${known.join(", ")}` : `did you mean ${nearest}?`;
      throw new ConfigError("LIMIT", `There is no limit ${name}; ${hint}`);
    }
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new ConfigError(
        "LIMIT",
        `Cannot set limit ${name} to ${value}: give a whole number from 1`,
      );
    }
  }
  return { ...defaultLimits, ...given };
}
