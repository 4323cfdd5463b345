import { availableParallelism } from "node:os";
import type { Limits } from "./config/limits.ts";
import type { ServerOptions } from "./config/server-options.ts";
import { resolveWorkerCount } from "./config/worker-count.ts";
import { isApplication, type Application, type FilesManifest } from "./core/application.ts";
import { systemClock } from "./core/clock.ts";
import { describeError } from "./core/errors.ts";
import { Dispatcher } from "./edge/dispatcher.ts";
import { Edge, type FilesHandler } from "./edge/edge.ts";
import { inject } from "./edge/inject.ts";
import { RouteTable } from "./edge/route-table.ts";
import type { ListenAddress } from "./net/address.ts";
import { Listener } from "./net/listener.ts";
import { filesHandler } from "./static/files.ts";
import { loadApplication } from "./workers/load-app.ts";
import { WorkerPool } from "./workers/worker-pool.ts";

// The composition root: the one file that knows every room.

/** What to put together. */
export interface CompositionOptions {
  readonly options: ServerOptions;
  readonly limits: Limits;
  /** The application, or the URL of its module. */
  readonly app: Application | string;
  readonly address: ListenAddress;
}

/** The parts of a running server. */
export interface Composition {
  readonly routes: RouteTable;
  readonly edge: Edge;
  /** Null when the application runs on the edge. */
  readonly pool: WorkerPool | null;
  /** Not listening yet. */
  readonly listener: Listener;
  inject(request: globalThis.Request, signal: AbortSignal): Promise<Response>;
}

/** Connections the system may hold before they are accepted, unless told otherwise. */
const defaultBacklog = 511;

/**
 * Loads the application, on workers if it is a module, and puts the server together around it.
 * Rejects as the application does, leaving nothing behind.
 */
export async function compose(whole: CompositionOptions): Promise<Composition> {
  const { app } = whole;
  if (isApplication(app)) return assemble(whole, new RouteTable(app.manifest()), app, null);
  // The pool tells of room before there is anything that could wait for it.
  const waiting: { dispatcher: Dispatcher | null } = { dispatcher: null };
  const pool = makePool(whole, app, () => waiting.dispatcher?.pump());
  try {
    await pool.start();
    const { manifest } = pool;
    const onEdge = manifest.routes.some((route) => route.placement === "edge");
    const local = onEdge ? await loadApplication(app) : null;
    const parts = assemble(whole, new RouteTable(manifest), local, pool);
    waiting.dispatcher = parts.dispatcher;
    return parts;
  } catch (error) {
    await pool[Symbol.asyncDispose]();
    throw error;
  }
}

function makePool(whole: CompositionOptions, appUrl: string, onRoom: () => void): WorkerPool {
  const { options, limits } = whole;
  const { workers, imports, events } = options;
  return new WorkerPool({
    appUrl,
    imports: imports ?? [],
    workers: resolveWorkerCount(workers, availableParallelism()),
    concurrency: limits.concurrency,
    unstartedMax: limits.unstartedMax,
    clock: systemClock,
    events: {
      onRoom,
      onWorkerReady: (worker) => events?.workerReady?.(worker.id),
      onWorkerGone: (worker, cause) => events?.workerGone?.(worker.id, cause),
      onStartFailed: (cause, retryMs) => events?.workerStartFailed?.(cause, retryMs),
    },
  });
}

function assemble(
  whole: CompositionOptions,
  routes: RouteTable,
  application: Application | null,
  pool: WorkerPool | null,
): Composition & { readonly dispatcher: Dispatcher | null } {
  const { options, limits, address } = whole;
  const { serverField = "Millrace", backlog = defaultBacklog, events } = options;
  const dispatcher =
    pool === null
      ? null
      : new Dispatcher({
          pool,
          queuedMax: limits.queuedMax,
          clock: systemClock,
          refuse: (exchange, detail, retryAfterSeconds) =>
            edge.refuse(exchange, 503, detail, retryAfterSeconds),
        });
  const edge = new Edge({
    limits,
    clock: systemClock,
    serverField: serverField === false ? "" : serverField,
    routes,
    dispatcher,
    application,
    files: lookUpIn(routes.manifest.files),
    report: (error, request) => {
      if (events?.handlerFailed !== undefined) events.handlerFailed(error, request);
      else console.error(`${request.method} ${request.path} failed: ${describeError(error)}`);
    },
    fault: (error) => console.error(`Millrace failed a connection: ${describeError(error)}`),
  });
  edge.start();
  const listener = new Listener({
    address,
    backlog,
    onConnection: (socket) => edge.accept(socket),
  });
  return {
    routes,
    edge,
    pool,
    dispatcher,
    listener,
    inject: (request, signal) => inject(edge, request, signal),
  };
}

/** The folder with the longest prefix is asked first: it is the most specific. */
function lookUpIn(folders: readonly FilesManifest[]): FilesHandler | null {
  if (folders.length === 0) return null;
  const handlers = folders
    .toSorted((one, other) => other.prefix.length - one.prefix.length)
    .map((folder) => filesHandler(folder));
  return async (request) => {
    for (const handler of handlers) {
      const reply = await handler(request);
      if (reply !== undefined) return reply;
    }
    return undefined;
  };
}
