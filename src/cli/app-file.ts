import { statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { MillraceError } from "../core/errors.ts";

/**
 * The URL of the application's file.
 * @throws MillraceError `APP_FILE` when there is no such file
 */
export function locateApp(path: string): string {
  const file = resolve(path);
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isFile() === true) return pathToFileURL(file).href;
  const why = found === undefined ? "there is no such file" : "that is not a file";
  throw new MillraceError("APP_FILE", `Cannot load the application ${file}: ${why}`);
}
