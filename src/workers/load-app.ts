import { isApplication, type Application } from "../core/application.ts";
import type { LoadFailure } from "./boot.ts";

/** Imports an application module and checks what it exports. Throws whatever loading it throws. */
export async function loadApplication(url: string): Promise<Application> {
  const module = (await import(url)) as { readonly default?: unknown };
  if (isApplication(module.default)) return module.default;
  const found =
    module.default === undefined
      ? "it has no default export"
      : "its default export is something else";
  throw new TypeError(`an application module exports \`default app()\`, but ${found}`);
}

/** Describes why loading failed, for a person who must mend it. */
export function describeLoadFailure(cause: unknown): LoadFailure {
  if (!(cause instanceof Error)) return { message: `it threw ${String(cause)}` };
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
  return {
    message: `${cause.name === "Error" ? "" : `${cause.name}: `}${cause.message}`,
    code,
    stack: cause.stack,
    hint: hintFor(code, cause.message),
  };
}

function hintFor(code: string | undefined, message: string): string | undefined {
  const wantsLoader =
    "Node runs TypeScript by stripping its types. " +
    "For enums, decorators or JSX give a loader with --import, " +
    "e.g. `millrace serve app.ts --import tsx`; workers get it too.";
  switch (code) {
    case "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX":
    case "ERR_INVALID_TYPESCRIPT_SYNTAX":
      return wantsLoader;
    case "ERR_UNKNOWN_FILE_EXTENSION":
      return /\.[jt]sx|"\.tsx?"/.test(message) ? wantsLoader : undefined;
    case "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING":
      return "Node does not strip types below node_modules: that package must ship JavaScript.";
    default:
      return message.includes("Invalid or unexpected token") ? wantsLoader : undefined;
  }
}
