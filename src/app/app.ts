import { applicationBrand, type Application, type Manifest } from "../core/application.ts";
import { ConfigError } from "../core/errors.ts";
import type { Handler, Middleware } from "../core/handler.ts";
import type { Request } from "../core/request.ts";
import { assemble, type Assembly } from "./assemble.ts";
import { definitionOf } from "./definition.ts";
import { checkAppOptions, type AppOptions } from "./route-options.ts";
import { Scope } from "./scope.ts";
import { sourcePlace } from "./source-place.ts";

/**
 * An application: what its module exports by default, and what every worker loads.
 *
 * ```ts
 * export default app()
 *   .use(async (request, next) => { … return next(request); })
 *   .get("/users/:id", (request) => ({ id: request.params.id }))
 *   .files("/", new URL("./public", import.meta.url));
 * ```
 */
export class App<State extends object = object> extends Scope<State> implements Application {
  readonly [applicationBrand] = true as const;
  #assembly: Assembly | undefined = undefined;

  /** @internal Use `app()`. */
  constructor(options: AppOptions) {
    super(
      {
        options,
        declarations: [],
        rootMiddleware: [],
        onError: undefined,
        onMiss: undefined,
        sealed: false,
      },
      "",
      [],
    );
  }

  /**
   * Wraps what is declared after it. All of an application's own middleware also wraps its misses:
   * requests that no route takes. `Adds` is what it puts on `request.state`: the handlers after it
   * know.
   */
  override use<Adds = unknown>(...middleware: Middleware<State & Adds>[]): App<State & Adds> {
    const all = this.addMiddleware(middleware, sourcePlace(this.use));
    this[definitionOf].rootMiddleware = all;
    return this as unknown as App<State & Adds>;
  }

  /**
   * Turns errors into answers, in place of problem details. Middleware sees an error before it
   * does, as what `next` throws. What it throws itself, the same error perhaps, is answered as if
   * there were none; an answer from 500 on is reported with the error behind it. Its own answers
   * pass no middleware.
   */
  onError(handler: (error: unknown, request: Request) => ReturnType<Handler>): this {
    return this.#setOnce("onError", handler, sourcePlace(this.onError));
  }

  /** Answers what no route takes, in place of the 404, the 405 and the automatic OPTIONS. */
  onMiss(handler: Handler<Record<string, string>, State>): this {
    return this.#setOnce("onMiss", handler as Handler, sourcePlace(this.onMiss));
  }

  /**
   * Checks everything declared and describes it. From then on nothing can be added. Throws
   * `ConfigError`.
   */
  manifest(): Manifest {
    return this.#assembled().manifest;
  }

  get handlers(): readonly Handler[] {
    return this.#assembled().handlers;
  }

  get patterns(): Application["patterns"] {
    return this.#assembled().patterns;
  }

  get miss(): Handler {
    return this.#assembled().miss;
  }

  get recover(): Application["recover"] {
    return this.#assembled().recover;
  }

  #assembled(): Assembly {
    return (this.#assembly ??= assemble(this[definitionOf]));
  }

  #setOnce(
    slot: "onError" | "onMiss",
    handler: Handler | Application["recover"],
    source: string,
  ): this {
    const definition = this[definitionOf];
    if (typeof handler !== "function" || definition[slot] !== undefined || definition.sealed) {
      throw new ConfigError(
        "APP_HANDLER",
        `${source}: ${slot} takes one function, once, while the application's module loads`,
      );
    }
    definition[slot] = handler as Handler & Application["recover"];
    return this;
  }
}

/**
 * Begins an application. `State` names what is on `request.state` beyond what middleware declares
 * to add. Throws `ConfigError` for an unknown or impossible option.
 */
export function app<State extends object = object>(options: AppOptions = {}): App<State> {
  checkAppOptions(options);
  return new App<State>(options);
}
