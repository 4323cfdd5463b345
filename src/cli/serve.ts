import { constants } from "node:os";
import { MillraceError } from "../core/errors.ts";
import type { ServerEvents, ServerOptions } from "../config/server-options.ts";
import { createServer, type Server } from "../server.ts";
import { AppLoadError } from "../workers/app-load-error.ts";
import { locateApp } from "./app-file.ts";
import type { Arguments, Command } from "./command.ts";
import { describeAppLoadError } from "./load-failure.ts";
import { preload } from "./preload.ts";
import { readablePath } from "./readable-path.ts";
import { readServeOptions, serveOptionTable, type ServeOptions } from "./serve-options.ts";
import { SignalInbox, type StopSignal } from "./signal-inbox.ts";
import { isTerminal, print, printError, printWarning, styled } from "./terminal.ts";
import { version } from "./version.ts";

/** `millrace serve`: serves an application until it is told to stop. */
export const serveCommand: Command = {
  name: "serve",
  summary: "Serve an application until Ctrl-C",
  description:
    "Serves an application: a module that exports `default app()`. Node runs TypeScript by\n" +
    "stripping its types. Unless told otherwise, only this machine can reach the server, and\n" +
    "one worker thread more than there are cores runs its handlers.\n\n" +
    "Ctrl-C or SIGTERM stops it: no new connections are taken, requests that came are answered,\n" +
    "then it exits with 0. A second Ctrl-C or SIGTERM stops at once, with 130 or 143.\n" +
    "An application that can't be loaded, or an address that can't be had, is exit code 1;\n" +
    "a wrong command line is 2.",
  options: serveOptionTable,
  run: serve,
};

async function serve(args: Arguments): Promise<number> {
  const options = readServeOptions(args, process.env);
  const appUrl = locateApp(args.app);
  using signals = new SignalInbox();
  const imports = await preload(args.all("import"));
  const server = createServer({ ...serverOptions(options), app: appUrl, imports, events });
  const stop = signals.next();

  const starting = settled(server.start());
  const outcome = await Promise.race([starting, stop]);
  if (typeof outcome === "string") {
    // Stopped before it served anybody: there is nothing to finish.
    await server[Symbol.asyncDispose]();
    return 0;
  }
  if (outcome.failed) {
    reportStartFailure(outcome.error, appUrl);
    return 1;
  }
  await Promise.race([server.ready(), stop]);
  announce(server, args.app);
  // Awaited here: the inbox must take signals until the end.
  return await drain(server, { signal: await stop, signals, timeoutMs: options.drainTimeoutMs });
}

type Outcome = { readonly failed: false } | { readonly failed: true; readonly error: unknown };

/** How a promise ended. Never rejects, so that it may be left behind. */
function settled(promise: Promise<void>): Promise<Outcome> {
  return promise.then(
    () => ({ failed: false }),
    (error: unknown) => ({ failed: true, error }),
  );
}

function serverOptions(options: ServeOptions): Omit<ServerOptions, "app"> {
  const { port, host, socketPath, backlog, workers } = options;
  return {
    ...(port !== undefined && { port }),
    ...(host !== undefined && { host }),
    ...(socketPath !== undefined && { socketPath }),
    ...(backlog !== undefined && { backlog }),
    ...(workers !== undefined && { workers }),
  };
}

function reportStartFailure(error: unknown, appUrl: string): void {
  // What isn't ours is a fault of Millrace: let it end the process with its stack.
  if (!(error instanceof MillraceError)) throw error;
  printError(error instanceof AppLoadError ? describeAppLoadError(error, appUrl) : error.message);
}

function announce(server: Server, app: string): void {
  const routes = counted(server.routeCount, "route");
  const workers = counted(server.workerCount, "worker thread");
  const dot = styled("dim", "·");
  print(`${styled("bold", `Millrace ${version}`)} ${dot} Node ${process.version}`);
  print(`${readablePath(app)} ${dot} ${routes} ${dot} ${workers}`);
  print(`Listening on ${styled("cyan", server.url)}`);
}

interface Stop {
  readonly signal: StopSignal;
  /** Where the next signal will come. */
  readonly signals: SignalInbox;
  readonly timeoutMs: number;
}

/**
 * Finishes what was accepted, unless a second signal or the time says otherwise. Returns the exit
 * code.
 */
async function drain(server: Server, { signal, signals, timeoutMs }: Stop): Promise<number> {
  const seconds = counted(timeoutMs / 1_000, "second");
  const open = counted(server.connectionCount, "connection");
  const hurry = signal === "SIGINT" ? "; Ctrl-C again stops at once" : "";
  // The terminal has just shown ^C on this line.
  const lineBreak = signal === "SIGINT" && isTerminal() ? "\n" : "";
  print(`${lineBreak}Draining (${signal}): ${open} open, ${seconds} at most${hurry}`);
  const deadline = AbortSignal.timeout(timeoutMs);
  const second = await Promise.race([server.drain(deadline), signals.next()]);
  if (second !== undefined) {
    print(`Stopped at once (${second})`);
    return 128 + constants.signals[second];
  }
  if (deadline.aborted) printWarning(`What had not ended after ${seconds} was cut`);
  print("Stopped");
  return 0;
}

const events: ServerEvents = {
  workerGone(id, cause) {
    const why = cause === null ? "exited" : `died: ${firstLine(cause)}`;
    printWarning(`Worker ${id} ${why}; a new one takes its place`);
  },
  workerStartFailed(cause, retryMs) {
    const when = retryMs > 0 ? `the next try is in ${retryMs / 1_000} s` : "trying again";
    printWarning(`Cannot start a worker: ${firstLine(cause)}; ${when}`);
  },
};

function firstLine(error: Error): string {
  const message = `${error.name === "Error" ? "" : `${error.name}: `}${error.message}`;
  return message.split("\n", 1)[0] ?? "";
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
