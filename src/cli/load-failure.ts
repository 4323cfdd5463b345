import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { AppLoadError } from "../workers/app-load-error.ts";
import { readablePath } from "./readable-path.ts";

/** Longest wait for a second look at the file, in ms. */
const checkTimeoutMs = 5_000;

/** Why an application can't be loaded, and where in it, as far as that can be told. */
export function describeAppLoadError(error: AppLoadError, appUrl: string): string {
  const place = placeOf(error, appUrl);
  return place === undefined ? error.message : `${error.message}\n${place}`;
}

function placeOf(error: AppLoadError, appUrl: string): string | undefined {
  const stack = error.causeStack ?? "";
  const lines = stack.split("\n");
  // What can't be parsed or linked: the place and the line come first, above the error.
  if (lines[0]?.startsWith("file:") === true) return sourceFrame(lines);
  const frame = lines.find(isAppFrame);
  if (frame !== undefined) return `    ${relativeUrls(frame.trim())}`;
  // V8 keeps the place of a syntax error to itself, and shows it only when it ends the process.
  return stack.startsWith("SyntaxError") && appUrl.startsWith("file:")
    ? checkSyntax(appUrl)
    : undefined;
}

function isAppFrame(line: string): boolean {
  return (
    /^\s+at .*file:\/\//.test(line) &&
    !line.includes("/node_modules/") &&
    !line.includes(packageFolder)
  );
}

const packageFolder = new URL("..", import.meta.url).href;

/** The lines above the error: place, source line, marker. */
function sourceFrame(lines: readonly string[]): string {
  const end = lines.findIndex((line, at) => at > 0 && (/^\s*\^+\s*$/.test(line) || line === ""));
  return lines
    .slice(0, end < 0 ? 1 : end + 1)
    .map((line, at) => (at === 0 ? `    at ${relativeUrls(line)}` : `    ${line}`))
    .join("\n")
    .trimEnd();
}

function checkSyntax(appUrl: string): string | undefined {
  const file = fileURLToPath(appUrl);
  const { stderr } = spawnSync(process.execPath, ["--check", file], {
    encoding: "utf8",
    timeout: checkTimeoutMs,
  });
  const lines = stderr.split("\n");
  return lines[0]?.startsWith(`${file}:`) === true
    ? sourceFrame([lines[0].replace(file, readablePath(file)), ...lines.slice(1)])
    : undefined;
}

function relativeUrls(text: string): string {
  return text.replace(/file:[^\s()]+?(?=:\d|$)/g, (url) => readablePath(fileURLToPath(url)));
}
