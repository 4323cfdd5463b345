import { statSync } from "node:fs";
import type { Application, FilesManifest, Manifest, RouteManifest } from "../core/application.ts";
import { ConfigError } from "../core/errors.ts";
import type { Handler, Middleware } from "../core/handler.ts";
import { errorReply, missReply } from "../core/problem.ts";
import { compilePattern } from "../router/pattern.ts";
import { Router } from "../router/router.ts";
import { filesHandler } from "../static/files.ts";
import type {
  AppDefinition,
  FilesDeclaration,
  MountDeclaration,
  RouteDeclaration,
} from "./definition.ts";
import { catching, fold } from "./fold.ts";
import { defaultBounds, type RequestBounds } from "./route-options.ts";

/** An application ready to serve. */
export interface Assembly extends Pick<Application, "handlers" | "patterns" | "miss" | "recover"> {
  readonly manifest: Manifest;
}

/** The methods of a route for all; HEAD comes with GET. */
const allMethods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** A definition with the place where it is mounted. */
interface Placed {
  readonly definition: AppDefinition;
  readonly prefix: string;
  /** All that wraps it from outside, its own error handler last. */
  readonly outer: readonly Middleware[];
  readonly bounds: Required<RequestBounds>;
  /** The definitions it is inside of, for an application that is mounted within itself. */
  readonly within: readonly AppDefinition[];
}

/** The `onMiss` of a mounted application, for what is under `prefix`. */
interface MissDeclaration {
  readonly prefix: string;
  readonly middleware: readonly Middleware[];
  readonly onMiss: Handler;
}

/** What gathers while definitions are walked. */
interface Parts {
  readonly routes: RouteManifest[];
  readonly handlers: Handler[];
  readonly files: FilesDeclaration[];
  readonly misses: MissDeclaration[];
}

/**
 * Checks a definition, with all that is mounted in it, and folds handlers and middleware. Throws
 * `ConfigError`.
 */
export function assemble(definition: AppDefinition): Assembly {
  const parts: Parts = { routes: [], handlers: [], files: [], misses: [] };
  const bounds = boundsWithin(defaultBounds, definition.options);
  gather({ definition, prefix: "", outer: [], bounds, within: [] }, parts);
  const router = buildRouter(parts.routes);
  for (const folder of parts.files) checkFolder(folder);
  checkPrefixes(parts.files);
  const guarded = parts.files.filter((folder) => folder.middleware.length > 0);
  const atEdge = parts.files.filter((folder) => folder.middleware.length === 0);
  const { rootMiddleware, onMiss } = definition;
  const missAtEdge =
    rootMiddleware.length + guarded.length + parts.misses.length === 0 && onMiss === undefined;
  return {
    manifest: {
      routes: parts.routes,
      files: atEdge.map(({ prefix, root }): FilesManifest => ({ prefix, root })),
      miss: missAtEdge ? "edge" : "thread",
      missBodyBytesMax: bounds.bodyLimit,
    },
    handlers: parts.handlers,
    patterns: parts.routes.map(({ pattern }) => compilePattern(pattern)),
    miss: buildMiss(definition, router, guarded, parts.misses),
    recover: definition.onError ?? errorReply,
  };
}

function gather(placed: Placed, parts: Parts): void {
  const { definition, prefix, outer, bounds } = placed;
  definition.sealed = true;
  for (const declared of definition.declarations) {
    const middleware = [...outer, ...declared.middleware];
    switch (declared.kind) {
      case "route":
        for (const method of methodsOf(declared, definition)) {
          parts.routes.push(routeManifest(declared, method, prefix, bounds));
          parts.handlers.push(fold(middleware, declared.handler));
        }
        break;
      case "files":
        parts.files.push({ ...declared, prefix: prefix + declared.prefix, middleware });
        break;
      case "mount":
        gatherMounted(declared, middleware, placed, parts);
        break;
    }
  }
}

function gatherMounted(
  mount: MountDeclaration,
  middleware: readonly Middleware[],
  outer: Placed,
  parts: Parts,
): void {
  const { definition, source } = mount;
  const within = [...outer.within, outer.definition];
  if (within.includes(definition)) {
    throw new ConfigError("MOUNT_CYCLE", `${source}: an application cannot be mounted in itself`);
  }
  const { onError, onMiss, options, rootMiddleware } = definition;
  const around = onError === undefined ? middleware : [...middleware, catching(onError)];
  const prefix = outer.prefix + mount.prefix;
  const bounds = boundsWithin(outer.bounds, options);
  gather({ definition, prefix, outer: around, bounds, within }, parts);
  if (onMiss === undefined) return;
  if (/[:*%]/.test(prefix)) {
    throw new ConfigError(
      "MOUNT_MISS",
      `${source}: an application with onMiss needs a prefix without parameters`,
    );
  }
  parts.misses.push({ prefix: prefix + "/", middleware: [...around, ...rootMiddleware], onMiss });
}

/** `inner` where it says something, else `outer`. */
function boundsWithin(
  outer: Required<RequestBounds>,
  inner: RequestBounds,
): Required<RequestBounds> {
  const { bodyLimit = outer.bodyLimit, queueTimeoutMs = outer.queueTimeoutMs } = inner;
  return { bodyLimit, queueTimeoutMs };
}

function methodsOf(route: RouteDeclaration, definition: AppDefinition): readonly string[] {
  if (route.method !== "all") return [route.method];
  return allMethods.filter(
    (method) =>
      !definition.declarations.some(
        (other) =>
          other.kind === "route" && other.method === method && other.pattern === route.pattern,
      ),
  );
}

function routeManifest(
  route: RouteDeclaration,
  method: string,
  prefix: string,
  bounds: Required<RequestBounds>,
): RouteManifest {
  const { placement = "thread", priority = 0 } = route.options;
  const { bodyLimit = bounds.bodyLimit, queueTimeoutMs = bounds.queueTimeoutMs } = route.options;
  const pattern = route.pattern === "/" && prefix !== "" ? prefix : prefix + route.pattern;
  const { source } = route;
  return { method, pattern, placement, bodyBytesMax: bodyLimit, priority, queueTimeoutMs, source };
}

/** A router that knows only which methods there are; adding finds collisions. */
function buildRouter(routes: readonly RouteManifest[]): Router<true> {
  const router = new Router<true>();
  for (const { method, pattern, source } of routes) router.add({ method, pattern, source }, true);
  return router;
}

function checkFolder({ root, source }: FilesDeclaration): void {
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new ConfigError(
    "FILES_ROOT",
    `${source}: cannot serve files from ${root}: it is not a folder`,
  );
}

function checkPrefixes(folders: readonly FilesDeclaration[]): void {
  for (const [at, { prefix, source }] of folders.entries()) {
    const other = folders.slice(0, at).find((folder) => folder.prefix === prefix);
    if (other === undefined) continue;
    throw new ConfigError(
      "FILES_COLLISION",
      `${source}: files are already served under ${prefix} (${other.source}); ` +
        "give one of them another prefix",
    );
  }
}

/**
 * What answers where no route does. Inside the application's own middleware it looks into the
 * folders that stand behind a middleware, then asks the mounted application that the path belongs
 * to, then the application itself.
 */
function buildMiss(
  definition: AppDefinition,
  router: Router<true>,
  folders: readonly FilesDeclaration[],
  misses: readonly MissDeclaration[],
): Handler {
  const { rootMiddleware } = definition;
  const last = definition.onMiss ?? ((request) => missReply(request, router.allowed(request.path)));
  const mounted = byPrefix(
    misses.map(({ prefix, middleware, onMiss }) => {
      return { prefix, handler: fold(beyond(rootMiddleware, middleware), onMiss) };
    }),
  );
  const missed: Handler = (request) => (handlerFor(mounted, request.path) ?? last)(request);
  const served = byPrefix(
    folders.map(({ prefix, root, middleware }) => {
      const find = filesHandler({ prefix, root });
      const serve: Handler = async (request) => (await find(request)) ?? missed(request);
      return { prefix, handler: fold(beyond(rootMiddleware, middleware), serve) };
    }),
  );
  return fold(rootMiddleware, (request) => {
    const reads = request.method === "GET" || request.method === "HEAD";
    return ((reads ? handlerFor(served, request.path) : undefined) ?? missed)(request);
  });
}

interface PrefixHandler {
  /** Ends with "/". */
  readonly prefix: string;
  readonly handler: Handler;
}

/** Longest prefix first. */
function byPrefix(handlers: readonly PrefixHandler[]): readonly PrefixHandler[] {
  return handlers.toSorted((a, b) => b.prefix.length - a.prefix.length);
}

function handlerFor(handlers: readonly PrefixHandler[], path: string): Handler | undefined {
  for (const { prefix, handler } of handlers) {
    if (path.startsWith(prefix) || path + "/" === prefix) return handler;
  }
  return undefined;
}

/**
 * What of `middleware` the application's own doesn't run anyway: both begin with what was used
 * before the scope.
 */
function beyond(
  own: readonly Middleware[],
  middleware: readonly Middleware[],
): readonly Middleware[] {
  let shared = 0;
  while (shared < own.length && own[shared] === middleware[shared]) shared++;
  return middleware.slice(shared);
}
