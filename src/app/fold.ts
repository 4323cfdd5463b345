import type { Application } from "../core/application.ts";
import type { Handler, Middleware } from "../core/handler.ts";

/**
 * The handler that runs `middleware`, outermost first, around `handler`. All closures are made
 * here, none later.
 */
export function fold(middleware: readonly Middleware[], handler: Handler): Handler {
  return middleware.reduceRight<Handler>((next, wrap) => (request) => wrap(request, next), handler);
}

/** What hands everything thrown further inside to `onError`, at once or later. */
export function catching(onError: Application["recover"]): Middleware {
  return (request, next) => {
    try {
      const result = next(request);
      if (!(result instanceof Promise)) return result;
      return result.catch((error: unknown) => onError(error, request));
    } catch (error) {
      return onError(error, request);
    }
  };
}
