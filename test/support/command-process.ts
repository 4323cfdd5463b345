import { spawn, type ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

/** Longest wait for anything a process is expected to do, in ms: far above what it takes. */
const patienceMs = 30_000;

/** How a process is started. */
export interface CommandOptions {
  readonly cwd?: string;
  /** On top of this process's environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Makes it lead a process group, to which `signal` then sends, as a terminal does. */
  readonly group?: boolean;
}

/** How a process ended, and what it had printed. */
export interface CommandResult {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const checkout = fileURLToPath(new URL("../../", import.meta.url));
const bin = fileURLToPath(new URL("../../src/cli/bin.ts", import.meta.url));

/** A process a test runs and ends. */
export class CommandProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly #group: boolean;
  /** Resolves once it has ended and everything it printed was read. */
  readonly ended: Promise<CommandResult>;
  #stdout = "";
  #stderr = "";
  #wake: (() => void) | undefined;
  #over = false;

  constructor(program: string, args: readonly string[], options: CommandOptions = {}) {
    const { cwd = checkout, env = {}, group = false } = options;
    this.#group = group;
    const clean = { PORT: undefined, HOST: undefined, NODE_TEST_CONTEXT: undefined };
    this.child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...clean, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: group,
    });
    this.#gather(this.child.stdout, (text) => (this.#stdout += text));
    this.#gather(this.child.stderr, (text) => (this.#stderr += text));
    this.ended = new Promise((resolve, reject) => {
      this.child.once("error", reject);
      this.child.once("close", (code) => {
        this.#over = true;
        this.#wake?.();
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  /** What it has printed so far on standard output. */
  get stdout(): string {
    return this.#stdout;
  }

  /** What it has printed so far on standard error. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Waits until what it has printed matches; throws when it ends before, or after 30 s. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    const timeout = AbortSignal.timeout(patienceMs);
    for (;;) {
      const match = pattern.exec(`${this.#stdout}\n${this.#stderr}`);
      if (match !== null) return match;
      if (this.#over || timeout.aborted) {
        const why = this.#over ? "it ended" : `${patienceMs} ms went by`;
        throw new Error(`${why}; it printed ${this.#stdout}\n${this.#stderr}`);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timeout.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  /** Waits for the line that says where a server listens, and returns its URL. */
  async listening(): Promise<string> {
    const [, url = ""] = await this.printed(/Listening on (\S+)\n/);
    return url;
  }

  signal(name: "SIGINT" | "SIGTERM" | "SIGKILL"): void {
    const { pid } = this.child;
    if (this.#group && pid !== undefined) process.kill(-pid, name);
    else this.child.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over) this.signal("SIGKILL");
    await this.ended.catch(() => {});
  }

  #gather(stream: Readable | null, add: (text: string) => void): void {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      add(text);
      this.#wake?.();
    });
  }
}

/** Starts `millrace` from its sources, on the Node that runs the tests. */
export function millrace(args: readonly string[], options: CommandOptions = {}): CommandProcess {
  return new CommandProcess(
    process.execPath,
    ["--conditions=millrace-source", bin, ...args],
    options,
  );
}

/** Runs a program to its end; throws when that takes longer than `timeoutMs`. */
export async function runToEnd(
  running: CommandProcess,
  timeoutMs = patienceMs,
): Promise<CommandResult> {
  await using command = running;
  const timer = setTimeout(() => command.signal("SIGKILL"), timeoutMs);
  try {
    return await command.ended;
  } finally {
    clearTimeout(timer);
  }
}
