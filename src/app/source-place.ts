import { relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Where `caller` was called from, as `file:line:column`, the file relative to the working directory
 * when it is inside; `"unknown place"` when the stack doesn't say. Meant for start-up: making a
 * stack is slow.
 */
export function sourcePlace(caller: (...args: never[]) => unknown): string {
  const holder: { stack?: string } = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 1;
  Error.captureStackTrace(holder, caller);
  Error.stackTraceLimit = limit;
  return readPlace(holder.stack ?? "", process.cwd());
}

/** The place that the first frame of `stack` names; see `sourcePlace`. */
export function readPlace(stack: string, cwd: string): string {
  const frame = /^\s+at (?:.*\()?(.+?):(\d+):(\d+)\)?$/m.exec(stack);
  if (frame === null) return "unknown place";
  const [, location = "", line, column] = frame;
  return `${readableFile(location, cwd)}:${line}:${column}`;
}

function readableFile(location: string, cwd: string): string {
  const file = location.startsWith("file://") ? fileURLToPath(location) : location;
  return file.startsWith(cwd + sep) ? relative(cwd, file) : file;
}
