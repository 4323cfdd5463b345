import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError } from "../core/errors.ts";
import type { Handler, HandlerResult, Middleware } from "../core/handler.ts";
import { isFieldName } from "../core/header-text.ts";
import { compilePattern, type ParamsOf } from "../router/pattern.ts";
import { definitionOf, type AppDefinition } from "./definition.ts";
import { checkRouteOptions, type RouteOptions } from "./route-options.ts";
import { sourcePlace } from "./source-place.ts";

/**
 * Declares a route for one method (or several): `scope.get("/users/:id", handler)`, options before
 * the handler.
 */
export interface DeclareRoute<State, Prefix extends string, Self> {
  <P extends string>(path: P, handler: Handler<ParamsOf<`${Prefix}${P}`>, State>): Self;
  <P extends string>(
    path: P,
    options: RouteOptions,
    handler: Handler<ParamsOf<`${Prefix}${P}`>, State>,
  ): Self;
}

/** Something that `mount` takes: what `app()` returns. */
export interface Mountable {
  /** @internal */
  readonly [definitionOf]: AppDefinition;
}

const standardMethods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"];

/**
 * Where routes are declared: an application, or a group within one. Order matters in one way only:
 * a middleware wraps the routes, groups, mounts and folders declared after it in the same scope,
 * and nothing before it. Among the routes the most specific pattern wins, wherever it was declared.
 */
export class Scope<State extends object, Prefix extends string = ""> {
  readonly #prefix: string;
  #middleware: readonly Middleware[];
  /** @internal */
  readonly [definitionOf]: AppDefinition;

  /** Answers GET, and HEAD with the same status and fields but no body. */
  readonly get: DeclareRoute<State, Prefix, this>;
  readonly post: DeclareRoute<State, Prefix, this>;
  readonly put: DeclareRoute<State, Prefix, this>;
  readonly patch: DeclareRoute<State, Prefix, this>;
  readonly delete: DeclareRoute<State, Prefix, this>;
  /** Answers HEAD in place of the GET route of the same pattern. */
  readonly head: DeclareRoute<State, Prefix, this>;
  /** Answers OPTIONS in place of the automatic 204 with `Allow`. */
  readonly options: DeclareRoute<State, Prefix, this>;
  readonly trace: DeclareRoute<State, Prefix, this>;
  /**
   * Answers GET (so HEAD too), POST, PUT, PATCH, DELETE and OPTIONS, as far as the same pattern has
   * no route of its own for them in this application.
   */
  readonly all: DeclareRoute<State, Prefix, this>;

  /** @internal Made by `app()` and `group`. */
  constructor(definition: AppDefinition, prefix: string, middleware: readonly Middleware[]) {
    this[definitionOf] = definition;
    this.#prefix = prefix;
    this.#middleware = middleware;
    this.get = this.#declarer("GET");
    this.post = this.#declarer("POST");
    this.put = this.#declarer("PUT");
    this.patch = this.#declarer("PATCH");
    this.delete = this.#declarer("DELETE");
    this.head = this.#declarer("HEAD");
    this.options = this.#declarer("OPTIONS");
    this.trace = this.#declarer("TRACE");
    this.all = this.#declarer("all");
  }

  /** Declares a route for any method, also one that isn't standard. Methods are case-sensitive. */
  route<P extends string>(
    method: string,
    path: P,
    ...rest:
      | [handler: Handler<ParamsOf<`${Prefix}${P}`>, State>]
      | [options: RouteOptions, handler: Handler<ParamsOf<`${Prefix}${P}`>, State>]
  ): this {
    const source = sourcePlace(this.route);
    const known = standardMethods.find((name) => name === method.toUpperCase());
    if (!isFieldName(method) || (known !== undefined && known !== method)) {
      throw new ConfigError(
        "ROUTE_METHOD",
        `${source}: ${JSON.stringify(method)} is not a method` + (known ? `; write ${known}` : ""),
      );
    }
    this.#declare(method, path, rest, source);
    return this;
  }

  /**
   * Wraps what is declared after it in this scope. The first one is outermost. `Adds` is what it
   * puts on `request.state`: the handlers after it know.
   */
  use<Adds = unknown>(...middleware: Middleware<State & Adds>[]): Scope<State & Adds, Prefix> {
    this.addMiddleware(middleware, sourcePlace(this.use));
    // Only the type changes: what is declared next is wrapped by what fills the state.
    return this as unknown as Scope<State & Adds, Prefix>;
  }

  /**
   * Declares routes under a prefix, which may have parameters. What the group uses wraps the group
   * alone; what this scope used before wraps it too.
   */
  group<P extends string>(
    prefix: P,
    define: (group: Scope<State, `${Prefix}${P}`>) => unknown,
  ): this {
    const source = sourcePlace(this.group);
    const full = this.#join(prefix, source);
    compilePattern(full + "/below");
    const group = new Scope<State, `${Prefix}${P}`>(this[definitionOf], full, this.#middleware);
    if (define(group) instanceof Promise) {
      throw new ConfigError("GROUP_ASYNC", `${source}: a group must be declared without waiting`);
    }
    return this;
  }

  /**
   * Puts another application under a prefix. It keeps its middleware and its error handler, inside
   * those of this one; its bounds hold where it set them. Without an error handler of its own, its
   * errors go to this one's, and so do requests for what it hasn't, unless it has `onMiss`.
   */
  mount(prefix: string, application: Mountable): this {
    const source = sourcePlace(this.mount);
    this.#checkOpen(source);
    const definition = application?.[definitionOf];
    if (definition === undefined) {
      throw new ConfigError("MOUNT", `${source}: mount takes what app() returns`);
    }
    const full = this.#join(prefix, source);
    compilePattern(full + "/below");
    const middleware = this.#middleware;
    this[definitionOf].declarations.push({
      kind: "mount",
      prefix: full,
      definition,
      middleware,
      source,
    });
    return this;
  }

  /**
   * Serves the files of a folder to GET and HEAD, where no route matches. Of several folders the
   * one with the longest prefix is looked into. Declared before any middleware it is served at the
   * edge without troubling a worker; after one, a worker serves it inside the middleware.
   * @param root the folder: `new URL("./public", import.meta.url)`, or a path from the working
   *   directory
   */
  files(prefix: string, root: URL | string): this {
    const source = sourcePlace(this.files);
    this.#checkOpen(source);
    const full = this.#join(prefix, source) + "/";
    if (/[:*%]/.test(full)) {
      throw new ConfigError(
        "FILES_PREFIX",
        `${source}: the prefix of files cannot have parameters or escapes`,
      );
    }
    const path = typeof root === "string" ? resolve(root) : fileURLToPath(root);
    const middleware = this.#middleware;
    this[definitionOf].declarations.push({
      kind: "files",
      prefix: full,
      root: path,
      middleware,
      source,
    });
    return this;
  }

  /** @internal Adds to what wraps later declarations, and says what wraps them now. */
  protected addMiddleware(added: readonly unknown[], source: string): readonly Middleware[] {
    this.#checkOpen(source);
    if (added.some((wrap) => typeof wrap !== "function")) {
      throw new ConfigError("MIDDLEWARE", `${source}: a middleware is a function (request, next)`);
    }
    this.#middleware = [...this.#middleware, ...(added as Middleware[])];
    return this.#middleware;
  }

  #declarer(method: string): DeclareRoute<State, Prefix, this> {
    const declare = (path: string, ...rest: readonly unknown[]): this => {
      this.#declare(method, path, rest, sourcePlace(declare));
      return this;
    };
    return declare;
  }

  #declare(method: string, path: string, rest: readonly unknown[], source: string): void {
    this.#checkOpen(source);
    const [options, handler] = rest.length > 1 ? rest : [{}, rest[0]];
    if (typeof handler !== "function") {
      throw new ConfigError(
        "ROUTE_HANDLER",
        `${source}: the handler of ${path} is ${typeof handler}; give a function`,
      );
    }
    checkRouteOptions(options as RouteOptions, source);
    const pattern = this.#join(path, source) || "/";
    compilePattern(pattern);
    this[definitionOf].declarations.push({
      kind: "route",
      method,
      pattern,
      options: options as RouteOptions,
      // The pattern vouches for the parameters, the middleware for the state.
      handler: handler as (request: unknown) => HandlerResult,
      middleware: this.#middleware,
      source,
    });
  }

  /** This scope's prefix and a path below it, without a trailing slash: `""` for the root. */
  #join(path: string, source: string): string {
    if (typeof path !== "string" || !path.startsWith("/")) {
      throw new ConfigError(
        "ROUTE_PATTERN",
        `${source}: ${JSON.stringify(path)} must start with "/"`,
      );
    }
    return this.#prefix + (path.endsWith("/") ? path.slice(0, -1) : path);
  }

  #checkOpen(source: string): void {
    if (!this[definitionOf].sealed) return;
    throw new ConfigError(
      "APP_SEALED",
      `${source}: the application is serving already; declare everything while its module loads`,
    );
  }
}
