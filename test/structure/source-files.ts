import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** The checkout's root, with a slash at its end. */
export const root: URL = new URL("../../", import.meta.url);

/** A file of the project, by its path from the root with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Every TypeScript file below `folder`, tests included, in the order of their paths. */
export function sourceFiles(folder: string): SourceFile[] {
  return readdirSync(new URL(`${folder}/`, root), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name).replaceAll("\\", "/"))
    .sort()
    .map((path) => ({ path, text: readFile(path) }));
}

/** The text of a file, by its path from the root. */
export function readFile(path: string): string {
  return readFileSync(new URL(path, root), "utf8");
}

/** Whether `path` is a test, which some rules leave alone. */
export function isTest(path: string): boolean {
  return path.endsWith(".test.ts");
}

// In this order, because the leftmost match wins: a quote in a comment opens no string, and the
// other way round. A slash opens a regular expression only where an operand is due.
const literal = new RegExp(
  [
    /\/\*[\s\S]*?\*\/|\/\/.*/,
    /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[\s\S])*`/,
    /(?<=[(,=:[!&|?{};+\n]\s*)\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[dgimsuvy]*/,
  ]
    .map((part) => part.source)
    .join("|"),
  "g",
);

/**
 * `text` with every comment, string and regular expression replaced by as many `#`; line breaks
 * stay, so that lines keep their numbers. Code inside a template string goes with it.
 */
export function codeOf(text: string): string {
  return text.replace(literal, (found) => found.replace(/[^\n]/g, "#"));
}
