import assert from "node:assert/strict";
import { dirname, posix } from "node:path";
import { test } from "node:test";
import { isTest, readFile, sourceFiles, type SourceFile } from "./source-files.ts";

/** What a room is allowed: other rooms, single files of them, and packages from npm. */
interface Room {
  readonly imports: readonly string[];
  readonly packages?: readonly string[];
}

const folders: Readonly<Record<string, Room>> = {
  core: { imports: [], packages: ["cookie", "mrmime"] },
  http1: { imports: ["core"] },
  net: { imports: ["core"] },
  router: { imports: ["core"] },
  queue: { imports: ["core"] },
  config: { imports: ["core"] },
  workers: { imports: ["core", "queue"] },
  edge: { imports: ["core", "http1", "net", "router", "queue", "workers", "config"] },
  static: { imports: ["core"], packages: ["cookie", "mrmime"] },
  app: { imports: ["core", "router", "static"] },
  cli: {
    imports: ["server.ts", "config", "core", "workers/load-app.ts", "workers/app-load-error.ts"],
  },
};

const allButCli = Object.keys(folders).filter((folder) => folder !== "cli");

/**
 * The import table of ARCHITECTURE.md: who may import whom. A room always reaches its own files.
 */
const table: Readonly<Record<string, Room>> = {
  ...folders,
  // The composition root; what starts it, which every worker loads and so must stay small; and the
  // public door.
  "composition.ts": { imports: allButCli },
  "server.ts": { imports: ["core", "config", "net/address.ts", "composition.ts"] },
  "index.ts": { imports: [...allButCli, "server.ts"] },
};

/** What tests may import beside what their room may. */
const testPackages = ["fast-check"];

test("Every import in src stands in the import table", () => {
  const violations = sourceFiles("src").flatMap((file) => violationsOf(file));
  assert.deepEqual(violations, [], `\n${violations.join("\n")}\n`);
});

test("Every folder in src has a row in the import table, and every row a folder", () => {
  const rooms = new Set(sourceFiles("src").map(({ path }) => roomOf(path)));
  assert.deepEqual([...rooms].sort(), Object.keys(table).sort());
});

test("ARCHITECTURE.md shows every row of the import table as it is held here", () => {
  const shown = tableIn(readFile("ARCHITECTURE.md"));
  for (const [room, { imports }] of Object.entries(folders)) {
    const wanted = [...new Set(imports.map((name) => name.replace(/[./].*/, "")))].sort();
    assert.deepEqual(shown.get(`${room}/`), wanted, `the row of \`${room}/\` in ARCHITECTURE.md`);
  }
});

test("The import check finds each kind of import that is not allowed", () => {
  const cases: [path: string, text: string, target: string][] = [
    ["src/core/x.ts", 'import { Edge } from "../edge/edge.ts";', "edge"],
    ["src/core/x.ts", 'import type { Edge } from "../edge/edge.ts";', "edge"],
    [
      "src/core/x.ts",
      'import {\n  type Edge,\n  other as some,\n} from "../edge/edge.ts";',
      "edge",
    ],
    ["src/core/x.ts", 'export * from "../edge/edge.ts";', "edge"],
    ["src/core/x.ts", 'export { Edge } from "../edge/edge.ts";', "edge"],
    ["src/core/x.ts", 'import "../edge/edge.ts";', "edge"],
    ["src/core/x.ts", 'const { Edge } = await import("../edge/edge.ts");', "edge"],
    ["src/core/x.ts", 'let edge: import("../edge/edge.ts").Edge;', "edge"],
    ["src/core/x.ts", 'new Worker(new URL("../workers/entry.ts", import.meta.url));', "workers"],
    ["src/core/x.ts", 'import { createServer } from "../server.ts";', "server.ts"],
    ["src/core/x.ts", 'import { app } from "millrace";', "millrace"],
    ["src/core/x.ts", 'import data from "../../package.json";', "outside src"],
    ["src/core/x.ts", 'import { test } from "node:test";', "node:test"],
    ["src/core/x.test.ts", 'import { Edge } from "../edge/edge.ts";', "edge"],
    [
      "src/core/x.test.ts",
      'import { RawClient } from "../../test/support/raw-client.ts";',
      "server.ts",
    ],
    [
      "src/core/x.ts",
      'import { RawClient } from "../../test/support/raw-client.ts";',
      "outside src",
    ],
    ["src/http1/x.ts", 'import { lookup } from "mrmime";', "mrmime"],
    ["src/http1/x.ts", 'import fc from "fast-check";', "fast-check"],
    ["src/cli/x.ts", 'import { Pool } from "../workers/worker-pool.ts";', "workers"],
    ["src/server.ts", 'import { main } from "./cli/bin.ts";', "cli"],
    ["src/new-room/x.ts", 'import { join } from "node:path";', "no row"],
  ];
  for (const [path, text, target] of cases) {
    const [violation, ...more] = violationsOf({ path, text });
    assert.ok(violation?.includes(target), `${path}: ${text} gave ${violation}`);
    assert.deepEqual(more, []);
  }
});

test("The import check lets through what is allowed, and examples in comments", () => {
  const cases: [path: string, text: string][] = [
    ["src/edge/x.ts", 'import { Parser } from "../http1/parser.ts";'],
    ["src/edge/x.ts", 'import { Exchange } from "./exchange.ts";'],
    ["src/cli/x.ts", 'import { loadApplication } from "../workers/load-app.ts";'],
    ["src/cli/x.ts", 'import { createServer } from "../server.ts";'],
    ["src/core/x.ts", 'import { parse } from "cookie";'],
    ["src/cli/x.ts", 'readFileSync(new URL("../../package.json", import.meta.url));'],
    ["src/core/x.test.ts", 'import { test } from "node:test";\nimport fc from "fast-check";'],
    ["src/core/x.ts", '/**\n * import { app } from "millrace";\n */\n// import("millrace")'],
  ];
  for (const [path, text] of cases) assert.deepEqual(violationsOf({ path, text }), []);
});

/** What `file` imports beyond the reach of `room`. */
function violationsOf(file: SourceFile, room = roomOf(file.path)): string[] {
  const row = table[room];
  if (row === undefined) return [`${file.path}: its folder has no row in the import table`];
  const reach = [room, ...row.imports];
  const inTest = isTest(file.path) || isSupport(file.path);
  const packages = [...(row.packages ?? []), ...(inTest ? testPackages : [])];
  return importsIn(file.text).flatMap(({ line, specifier }) => {
    const at = `${file.path}:${line}`;
    if (specifier.startsWith("node:test")) {
      return inTest ? [] : [`${at}: only tests import ${specifier}`];
    }
    if (specifier.startsWith("node:")) return [];
    if (!specifier.startsWith(".")) {
      const isAllowed = packages.includes(specifier);
      return isAllowed ? [] : [`${at}: ${room} may not import the package ${specifier}`];
    }
    const target = posix.join(dirname(file.path), specifier);
    // A test may lean on test/support, as long as that stays within the same reach.
    if (inTest && isSupport(target)) {
      return violationsOf({ path: target, text: readFile(target) }, room);
    }
    if (!target.startsWith("src/")) return [`${at}: ${specifier} is outside src`];
    const isReached = reach.includes(roomOf(target)) || reach.includes(target.slice("src/".length));
    return isReached ? [] : [`${at}: ${room} may not import ${roomOf(target)} (${specifier})`];
  });
}

function isSupport(path: string): boolean {
  return path.startsWith("test/support/");
}

/** The first folder below src, or the file's own name when it lies in src itself. */
function roomOf(path: string): string {
  return path.split("/")[1] ?? path;
}

// Statements begin a line, so examples in comments are none; the second form may stand anywhere.
const statement = /^(?:import|export)\b(?:[\w\s{},*$]*\bfrom)?\s*"([^"]+)"/gm;
const expression = /(?:\bimport\(|\bnew URL\((?=\s*"[^"]+\.[jt]s"))\s*"([^"]+)"/g;

function importsIn(text: string): { line: number; specifier: string }[] {
  return [...text.matchAll(statement), ...text.matchAll(expression)].flatMap((match) => {
    const before = text.slice(0, match.index);
    const inComment = /^\s*(?:\*|\/\/|\/\*)/.test(before.slice(before.lastIndexOf("\n") + 1));
    const specifier = match[1];
    if (inComment || specifier === undefined) return [];
    return [{ line: before.split("\n").length, specifier }];
  });
}

/**
 * Rows of the form `| folder/ | what it is | imports |`: the rooms each names in its last column.
 */
function tableIn(markdown: string): Map<string, string[]> {
  const rooms = [...Object.keys(folders), "server"];
  const rows = markdown.matchAll(/^\|\s*`([\w.]+\/)`\s*\|.*\|([^|]*)\|$/gm);
  return new Map(
    [...rows].map(([, folder = "", cell = ""]) => {
      const named = cell.replace(/\([^)]*\)/g, "").match(/\w+/g) ?? [];
      return [folder, named.filter((name) => rooms.includes(name)).sort()];
    }),
  );
}
