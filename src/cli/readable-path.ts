import { isAbsolute, relative, resolve } from "node:path";

/** A path as people like to read it: relative to the working directory when it is inside. */
export function readablePath(path: string): string {
  const fromHere = relative(process.cwd(), path) || ".";
  return fromHere.startsWith("..") || isAbsolute(fromHere) ? resolve(path) : fromHere;
}
