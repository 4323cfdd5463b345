import assert from "node:assert/strict";
import { basename } from "node:path";
import { test } from "node:test";
import { codeOf, isTest, sourceFiles, type SourceFile } from "./source-files.ts";

// The limits of style that neither the compiler nor the linter holds, and those that must not
// depend on either's configuration. They rule src without its tests.

interface Rule {
  readonly name: string;
  /** Where a file breaks the rule: line numbers with what is wrong there. */
  readonly find: (file: SourceFile) => Finding[];
  /**
   * Files that must break it once each, so that the rule is known to work; `src/core/x.ts` unless
   * named.
   */
  readonly broken: readonly (string | SourceFile)[];
  /** Files that look alike and are right. */
  readonly fine: readonly (string | SourceFile)[];
}

interface Finding {
  readonly line: number;
  readonly what: string;
}

const linesMax = 400;
const columnsMax = 100;

const rules: readonly Rule[] = [
  {
    name: `has at most ${linesMax} lines`,
    find: ({ text }) => {
      const lines = text.trimEnd().split("\n").length;
      return lines > linesMax ? [{ line: lines, what: `${lines} lines` }] : [];
    },
    broken: ["\n".repeat(linesMax) + "last"],
    fine: ["\n".repeat(linesMax - 1) + "last\n"],
  },
  {
    name: `has at most ${columnsMax} columns`,
    find: ({ text }) =>
      text.split("\n").flatMap((line, index) => {
        const columns = [...line].length;
        return columns > columnsMax ? [{ line: index + 1, what: `${columns} columns` }] : [];
      }),
    broken: ["short\n" + "x".repeat(columnsMax + 1), "// " + "x".repeat(columnsMax)],
    fine: ["x".repeat(columnsMax), "§".repeat(columnsMax)],
  },
  {
    name: "says of every export what it promises",
    find: undocumentedExports,
    broken: [
      "export const x = 1;",
      "/* not a docstring */\nexport const x = 1;",
      "/** Of something else. */\nconst y = 1;\nexport async function x() {}",
      "/** Far away. */\n\nexport class X {}",
      "// A comment.\nexport interface X {}",
      "export type X = 1;",
      "export default 1;",
    ],
    fine: [
      "/** What it is. */\nexport const x = 1;",
      "/**\n * What it is.\n */\nexport abstract class X {}",
      "/** Two ways. */\nexport function x(a: 1): 1;\nexport function x(a: 2): 2;",
      'export { x } from "./x.ts";\nexport type { Y } from "./y.ts";\nexport * from "./z.ts";',
    ],
  },
  {
    name: "has no enum",
    find: matches(/(?<=^|\s)enum\s+\w+\s*\{/g, codeOf),
    broken: ["enum X { A }", "export const enum X { A }"],
    fine: ["// enum X {", 'const x = "enum X {";'],
  },
  {
    name: "has no namespace",
    find: matches(/(?<=^|\s)(?:namespace|module)\s+[\w.]+\s*\{/g, codeOf),
    broken: ["namespace X {}", "export declare namespace X.Y {}"],
    fine: ["// namespace X {", "const namespace = 1;"],
  },
  {
    name: "has no any",
    find: matches(/(?<![.\w$#])any(?![\w$]|\s*[(:=?])/g, codeOf),
    broken: ["let x: any;", "f<any>();", "x as any;", "let x: any[];", 'const x = "any" as any;'],
    fine: ["AbortSignal.any([]);", "// any", 'const x = "any";', "const pattern = /any/;"],
  },
  {
    name: "silences no compiler error",
    find: matches(/@ts-(?:ignore|nocheck)/g),
    broken: ["// @ts-ignore\nx();", "// @ts-nocheck"],
    fine: ["// ts is fine"],
  },
  {
    name: "swallows no error: a catch does something, or says why not",
    find: matches(/\bcatch\s*(?:\([^)]*\)\s*)?\{\s*\}|\.catch\(\(\w*\)\s*=>\s*\{\s*\}\)/g, codeOf),
    broken: ["try { x(); } catch {}", "try { x(); } catch (e) {\n}", "x.catch(() => {});"],
    fine: [
      "try { x(); } catch {\n  // The peer is gone: nobody is left to tell.\n}",
      "try { x(); } catch (e) { y(e); }",
    ],
  },
  {
    name: "prints nothing below the composition root",
    find: (file) => (mayPrint(file.path) ? [] : matches(/\bconsole\s*\./g, codeOf)(file)),
    broken: ["console.log(1);", { path: "src/workers/outbox.ts", text: "console.error(1);" }],
    fine: [
      "// console.log(1)",
      { path: "src/cli/serve.ts", text: "console.log(1);" },
      { path: "src/workers/entry.ts", text: "console.error(1);" },
    ],
  },
  {
    name: "is named for what it is about",
    find: ({ path }) => {
      const vague = /^(?:utils?|helpers?|common|misc|shared)$/;
      const names = path.replace(/\.ts$/, "").split("/");
      return names.some((name) => vague.test(name)) ? [{ line: 1, what: basename(path) }] : [];
    },
    broken: [
      { path: "src/core/utils.ts", text: "" },
      { path: "src/helpers/x.ts", text: "" },
    ],
    fine: [{ path: "src/core/utilisation.ts", text: "" }],
  },
  {
    name: "leaves nothing to be done",
    find: matches(/\b(?:TODO|FIXME)\b/g),
    broken: ["// TODO: later", "/* FIXME */"],
    fine: ["// today"],
  },
];

const files = sourceFiles("src").filter(({ path }) => !isTest(path));

for (const rule of rules) {
  test(`Every file in src ${rule.name}`, () => {
    for (const text of rule.broken) {
      const file = fileOf(text);
      assert.equal(rule.find(file).length, 1, `must be found: ${JSON.stringify(file)}`);
    }
    for (const text of rule.fine) {
      const file = fileOf(text);
      assert.deepEqual(rule.find(file), [], `must not be found: ${JSON.stringify(file)}`);
    }
    const violations = files.flatMap((file) =>
      rule.find(file).map(({ line, what }) => `${file.path}:${line}: ${what}`),
    );
    assert.deepEqual(violations, [], `\n${violations.join("\n")}\n`);
  });
}

function fileOf(text: string | SourceFile): SourceFile {
  return typeof text === "string" ? { path: "src/core/x.ts", text } : text;
}

/** Finds a pattern, in the text itself or in what `view` makes of it. */
function matches(pattern: RegExp, view = (text: string): string => text): Rule["find"] {
  return ({ text }) =>
    [...view(text).matchAll(pattern)].map(({ index, 0: found }) => ({
      line: text.slice(0, index).split("\n").length,
      what: text.slice(index, index + found.length).replace(/\s+/g, " "),
    }));
}

function mayPrint(path: string): boolean {
  const printing = ["src/composition.ts", "src/workers/entry.ts", "src/workers/stdio.ts"];
  return printing.includes(path) || path.startsWith("src/cli/");
}

function undocumentedExports({ text }: SourceFile): Finding[] {
  const lines = text.split("\n");
  let overloaded: string | undefined;
  return lines.flatMap((line, index) => {
    const what = /^export (?!\*|\{|type \{)(?:[a-z]+ )*[\w$]*/.exec(line)?.[0];
    if (what === undefined) return [];
    const isNextOverload = what === overloaded;
    overloaded = what;
    return isNextOverload || endsDocstring(lines, index - 1) ? [] : [{ line: index + 1, what }];
  });
}

function endsDocstring(lines: readonly string[], last: number): boolean {
  if (lines[last]?.endsWith("*/") !== true) return false;
  let first = last;
  while (first > 0 && !/^\s*\/\*/.test(lines[first] ?? "")) first -= 1;
  return /^\s*\/\*\*/.test(lines[first] ?? "");
}
