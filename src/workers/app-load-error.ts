import { fileURLToPath } from "node:url";
import { MillraceError } from "../core/errors.ts";
import type { LoadFailure } from "./boot.ts";

/**
 * The application module can't be loaded: code `APP_LOAD`. The message names the file, the cause
 * and a way out.
 */
export class AppLoadError extends MillraceError {
  /** The stack of the cause, in the worker that tried. */
  readonly causeStack: string | undefined;

  constructor(appUrl: string, failure: LoadFailure) {
    const file = appUrl.startsWith("file:") ? fileURLToPath(appUrl) : appUrl;
    const hint = failure.hint === undefined ? "" : `\n${failure.hint}`;
    super("APP_LOAD", `Cannot load the application ${file}: ${failure.message}${hint}`);
    this.causeStack = failure.stack;
  }
}
