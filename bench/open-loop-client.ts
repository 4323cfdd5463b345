/**
 * Load that does not wait: requests are made at a constant rate whether or not the ones before were
 * answered, so that a server that stalls is charged for every request that came meanwhile. (A
 * closed loop would stop asking, and see one slow answer: "coordinated omission".)
 *
 * A request's latency runs from when it was made, and includes its wait for a free connection. When
 * the client itself wakes late, requests are made late; that is told apart as `lateP99Ms`.
 *
 * A process of its own: see client-process.ts.
 */
import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { answerMessages } from "./client-process.ts";
import { percentile } from "./statistics.ts";

/** One stretch of load. */
export interface OpenLoopQuestion {
  readonly port: number;
  readonly ratePerSecond: number;
  readonly seconds: number;
  /** Asked in turn. `wireBytes` is the size of the answer. */
  readonly requests: readonly { readonly text: string; readonly wireBytes: number }[];
}

/**
 * Latencies in ms, one entry for each of the question's requests. A request without an answer
 * counts with the time that was waited for one, so the truth is worse.
 */
export interface OpenLoopAnswer {
  readonly requests: readonly {
    readonly answered: number;
    readonly unanswered: number;
    readonly p50Ms: number;
    readonly p99Ms: number;
    readonly maxMs: number;
  }[];
  /** How late the client made a request by its own fault. */
  readonly lateP99Ms: number;
}

/** For each of the question's requests its own: those that stall must not hold up the others. */
const CONNECTIONS = 64;
/** Wait for the last answers, in ms. */
const GRACE_MS = 3_000;

/** A connection asks one request at a time. */
interface Lane {
  readonly socket: Socket;
  /** When the request that is under way was made; null when none is. */
  madeAt: number | null;
  bytesLeft: number;
}

/** One kind of request, with connections of its own. */
class Stream {
  readonly latenciesMs: number[] = [];
  readonly #request: OpenLoopQuestion["requests"][number];
  readonly #lanes: Lane[] = [];
  readonly #free: Lane[] = [];
  /** When each request was made that waits for a free connection. */
  readonly #waiting: number[] = [];

  constructor(request: OpenLoopQuestion["requests"][number]) {
    this.#request = request;
  }

  async open(port: number): Promise<void> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    const lane: Lane = { socket, madeAt: null, bytesLeft: 0 };
    socket.on("data", (chunk) => this.#receive(lane, chunk.length));
    socket.on("error", () => {}); // Its request stays unanswered, and is counted so.
    this.#lanes.push(lane);
    this.#free.push(lane);
  }

  /** Makes a request: it is sent now, or when a connection is free. */
  make(now: number): void {
    this.#waiting.push(now);
    this.#send();
  }

  get unanswered(): number {
    return this.#waiting.length + this.#lanes.filter(({ madeAt }) => madeAt !== null).length;
  }

  /** Closes the connections, and says what was seen. */
  end(): OpenLoopAnswer["requests"][number] {
    const answered = this.latenciesMs.length;
    const now = performance.now();
    const pending = this.#lanes.flatMap(({ madeAt }) => (madeAt === null ? [] : [madeAt]));
    const waited = [...pending, ...this.#waiting].map((madeAt) => now - madeAt);
    for (const { socket } of this.#lanes) socket.destroy();
    const latencies = [...this.latenciesMs, ...waited];
    return {
      answered,
      unanswered: waited.length,
      p50Ms: percentile(latencies, 50),
      p99Ms: percentile(latencies, 99),
      maxMs: percentile(latencies, 100),
    };
  }

  #send(): void {
    while (this.#waiting.length > 0) {
      const lane = this.#free.pop();
      if (lane === undefined) return;
      lane.madeAt = this.#waiting.shift() ?? null;
      lane.bytesLeft = this.#request.wireBytes;
      lane.socket.write(this.#request.text, "latin1");
    }
  }

  #receive(lane: Lane, bytes: number): void {
    lane.bytesLeft -= bytes;
    if (lane.madeAt === null || lane.bytesLeft > 0) return;
    this.latenciesMs.push(performance.now() - lane.madeAt);
    lane.madeAt = null;
    this.#free.push(lane);
    this.#send();
  }
}

async function run(question: OpenLoopQuestion): Promise<OpenLoopAnswer> {
  const streams = question.requests.map((request) => new Stream(request));
  const lanes = streams.flatMap((stream) => Array.from({ length: CONNECTIONS }, () => stream));
  await Promise.all(lanes.map((stream) => stream.open(question.port)));
  const lateMs = await makeAll(question, streams);
  const unanswered = () => streams.reduce((sum, stream) => sum + stream.unanswered, 0);
  for (let left = GRACE_MS; left > 0 && unanswered() > 0; left -= 10) await sleep(10);
  return { requests: streams.map((stream) => stream.end()), lateP99Ms: percentile(lateMs, 99) };
}

/** Makes every request when it is due, on a timer of 1 ms; resolves with how late each was. */
async function makeAll(question: OpenLoopQuestion, streams: readonly Stream[]): Promise<number[]> {
  const { ratePerSecond, seconds } = question;
  const total = ratePerSecond * seconds;
  const lateMs: number[] = [];
  const startedAt = performance.now();
  while (lateMs.length < total) {
    const now = performance.now();
    const sinceStartMs = now - startedAt;
    const due = Math.min(total, Math.floor((sinceStartMs / 1e3) * ratePerSecond));
    for (let number = lateMs.length; number < due; number += 1) {
      lateMs.push(sinceStartMs - (number / ratePerSecond) * 1e3);
      streams[number % streams.length]?.make(now);
    }
    await sleep(1);
  }
  return lateMs;
}

answerMessages<OpenLoopQuestion, OpenLoopAnswer>(run);
