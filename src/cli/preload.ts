import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { MillraceError } from "../core/errors.ts";

/**
 * Imports the modules of `--import` into this process, and returns their URLs for the workers. A
 * specifier means what it means to Node's own `--import`: it is resolved from the working
 * directory.
 * @throws MillraceError `IMPORT` for one that can't be found or throws
 */
export async function preload(specifiers: readonly string[]): Promise<string[]> {
  const urls: string[] = [];
  for (const specifier of specifiers) {
    try {
      const url = resolveFrom(process.cwd(), specifier);
      await import(url);
      urls.push(url);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      // Node names the module that asked: this one, which is of no interest.
      const why = message.replace(` imported from ${import.meta.filename}`, "");
      throw new MillraceError("IMPORT", `Cannot import ${specifier}: ${why}${hintFor(specifier)}`, {
        cause,
      });
    }
  }
  return urls;
}

/**
 * Resolves a specifier as a module in `folder` would. `import.meta.resolve` can only do it for this
 * module, and `require.resolve` doesn't see what a package exports for `import` alone.
 */
function resolveFrom(folder: string, specifier: string): string {
  const parentURL = pathToFileURL(join(folder, "/")).href;
  const hooks = registerHooks({
    resolve: (asked, context, next) =>
      next(asked, asked === specifier ? { ...context, parentURL } : context),
  });
  try {
    return import.meta.resolve(specifier);
  } finally {
    hooks.deregister();
  }
}

function hintFor(specifier: string): string {
  const isFile = /^[^./:][^:]*\.[cm]?[jt]s$/.test(specifier);
  return isFile ? `\nFor a file in this folder write ./${specifier}` : "";
}
