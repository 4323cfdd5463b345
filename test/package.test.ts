import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { existsSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { CommandProcess, runToEnd } from "./support/command-process.ts";

// What a user gets: the package is built, packed, installed into an empty folder, and used there.

const checkout = fileURLToPath(new URL("../", import.meta.url));

/** npm on a cold cache over a slow line, in ms. */
const npmTimeoutMs = 120_000;

const app = `import { app } from "millrace";

interface Greeting { readonly message: string }

export default app()
  .get("/hello/:name", (request): Greeting => ({ message: \`Hello, \${request.params.name}!\` }))
  .get("/edge", { placement: "edge" }, () => "edge");
`;

const typed = `import { app, createServer, reply, type Handler, type Request } from "millrace";
import { RequestParser } from "millrace/http1";

export const application = app().get("/users/:id/files/*path", (request) => {
  const { id, path }: { id: string; path: string } = request.params;
  // @ts-expect-error the pattern has no such parameter
  void request.params.name;
  return reply({ id, path }, { status: 201, headers: { "x-a": "b" } });
});
// @ts-expect-error a handler is wanted
application.get("/nothing");
export const handler: Handler = (request: Request) => request.method;
export const server = createServer({ app: application, port: 0, workers: { min: 1, max: 2 } });
// @ts-expect-error there is no such option
createServer({ app: application, prot: 0 });
export const parser: typeof RequestParser = RequestParser;
`;

interface PackResult {
  readonly filename: string;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

describe("The package", () => {
  let folder: string;
  let consumer: string;
  let packed: PackResult;

  before(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "millrace-package-")));
    consumer = join(folder, "consumer");
    packed = await pack(await copySources(folder));
    await mkdir(consumer);
    await writeFile(join(consumer, "package.json"), `{"type":"module"}`);
    await writeFile(join(consumer, "app.ts"), app);
    await npm(["install", join(folder, packed.filename)], consumer);
  });

  after(() => rm(folder, { recursive: true, force: true }));

  test("holds the build and its papers, no sources and no tests", () => {
    const paths = packed.files.map(({ path }) => path);
    for (const path of ["dist/cli/bin.js", "dist/index.js", "dist/index.d.ts", "package.json"]) {
      assert.ok(paths.includes(path), `${path} is missing`);
    }
    const papers = /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
    const built = /^dist\/[\w/-]+\.(js|js\.map|d\.ts)$/;
    const strange = paths.filter((path) => !papers.test(path) && !built.test(path));
    assert.deepEqual(strange, []);
    const bytes = packed.files.map(({ path }) => statSync(installed(path)).size);
    assert.ok(bytes.reduce((sum, size) => sum + size, 0) < 2_000_000, "the package has grown fat");
  });

  test("exports only files that it holds", () => {
    const { exports: entries, bin } = JSON.parse(readFileSync(installed("package.json"), "utf8"));
    for (const [name, entry] of Object.entries<string | Record<string, string>>(entries)) {
      const { "millrace-source": source, ...shipped } =
        typeof entry === "string" ? { file: entry } : entry;
      assert.ok(source === undefined || !existsSync(installed(source)), `${name} ships its source`);
      for (const path of Object.values(shipped)) assert.ok(existsSync(installed(path)), path);
    }
    assert.ok(existsSync(installed(bin.millrace)));
  });

  test("brings only what it says", async () => {
    const lock = JSON.parse(await readFile(join(consumer, "package-lock.json"), "utf8"));
    const names = Object.keys(lock.packages).filter((name) => name !== "");
    const dependencies = ["node_modules/cookie", "node_modules/millrace", "node_modules/mrmime"];
    assert.deepEqual(names.toSorted(), dependencies);
  });

  test("serves an application in the consumer's folder, until Ctrl-C", async () => {
    const args = ["serve", "app.ts", "--port", "0", "--workers", "2"];
    const program = join(consumer, "node_modules/.bin/millrace");
    await using server = new CommandProcess(program, args, onThisNode());
    await assertServes(await server.listening());
    server.signal("SIGINT");
    const { code, stdout } = await server.ended;
    assert.match(stdout, /\nStopped\n$/);
    assert.equal(code, 0);
  });

  test("serves by npx, and ends in order on a Ctrl-C in its terminal", async () => {
    const args = ["millrace", "serve", "app.ts", "--port", "0", "--workers", "2"];
    await using server = new CommandProcess("npx", args, { ...onThisNode(), group: true });
    await assertServes(await server.listening());
    server.signal("SIGINT");
    // How npx itself ends is up to npm's shell, which the Ctrl-C has reached too.
    assert.match((await server.ended).stdout, /\nStopped\n$/);
  });

  test("lists the routes of an application in the consumer's folder", async () => {
    const listing = new CommandProcess("npx", ["millrace", "routes", "app.ts"], onThisNode());
    const { code, stdout } = await runToEnd(listing);
    assert.equal(code, 0);
    assert.match(stdout, /^GET +\/hello\/:name +thread .* app\.ts:6:4$/m);
  });

  test("has types that resolve, down to the parameters of a pattern", async () => {
    await writeFile(join(consumer, "typed.ts"), typed);
    const compilerOptions = {
      strict: true,
      noEmit: true,
      module: "nodenext",
      target: "es2024",
      allowImportingTsExtensions: true,
      types: ["node"],
      typeRoots: [join(checkout, "node_modules/@types")],
    };
    const include = ["app.ts", "typed.ts"];
    const config = JSON.stringify({ compilerOptions, include });
    await writeFile(join(consumer, "tsconfig.json"), config);
    const tsc = new CommandProcess(
      process.execPath,
      [join(checkout, "node_modules/typescript/bin/tsc"), "-p", "."],
      { cwd: consumer },
    );
    assert.deepEqual(await runToEnd(tsc), { code: 0, stdout: "", stderr: "" });
  });

  const old = oldNode();
  const skip = old === undefined ? "no Node older than 22.18 in the search path" : false;
  test("says in one line on an old Node what it needs", { skip }, async () => {
    const args = [installed("dist/cli/bin.js"), "serve", "app.ts"];
    const { code, stdout, stderr } = await runToEnd(
      new CommandProcess(old?.program ?? "", args, { cwd: consumer, env: { NODE_OPTIONS: "" } }),
    );
    assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
    const version = old?.version.replaceAll(".", "\\.");
    assert.match(
      stderr,
      new RegExp(`^millrace needs Node 22\\.18 or newer; this is ${version}: install .*\\n$`),
    );
  });

  function installed(path: string): string {
    return join(consumer, "node_modules/millrace", path);
  }

  /** As a user would run it: nothing of this checkout's npm script, and the Node that runs this. */
  function onThisNode(): { cwd: string; env: Record<string, string> } {
    const path = [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter);
    return { cwd: consumer, env: { PATH: path } };
  }
});

async function assertServes(url: string): Promise<void> {
  const hello = await fetch(`${url}/hello/Ada`);
  assert.deepEqual(await hello.json(), { message: "Hello, Ada!" });
  assert.equal(await (await fetch(`${url}/edge`)).text(), "edge");
}

/** The sources in a folder of their own, so that building there disturbs nobody's `dist/`. */
async function copySources(folder: string): Promise<string> {
  const copy = join(folder, "sources");
  await mkdir(copy);
  const papers = ["README.md", "LICENSE", "CHANGELOG.md"];
  for (const name of ["src", "package.json", "tsconfig.json", "tsconfig.build.json", ...papers]) {
    await cp(join(checkout, name), join(copy, name), { recursive: true });
  }
  await symlink(join(checkout, "node_modules"), join(copy, "node_modules"), "dir");
  return copy;
}

/** Builds (`prepare`) and packs into the folder above. */
async function pack(sources: string): Promise<PackResult> {
  const stdout = await npm(["pack", "--json", "--pack-destination", ".."], sources);
  // npm 11 prints a list, npm 12 an object by name; what `prepare` prints may stand before either.
  const json: unknown = JSON.parse(stdout.slice(stdout.search(/^[[{]/m)));
  const [result] = Object.values(json as Record<string, PackResult>);
  if (result === undefined) throw new Error(`npm pack said ${stdout}`);
  return result;
}

async function npm(args: readonly string[], cwd: string): Promise<string> {
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
  const running = new CommandProcess("npm", [...args, ...quiet], { cwd, env: withoutNpm() });
  const { code, stdout, stderr } = await runToEnd(running, npmTimeoutMs);
  assert.equal(code, 0, `npm ${args.join(" ")} failed: ${stdout}${stderr}`);
  return stdout;
}

/** npm hands what it knows of this checkout on to what its scripts start: take it away again. */
function withoutNpm(): Record<string, undefined> {
  const names = Object.keys(process.env).filter((name) =>
    /^npm_(config_local_prefix|package|lifecycle)/.test(name),
  );
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

/** A Node in the search path that is too old, if there is one. */
function oldNode(): { readonly program: string; readonly version: string } | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  for (const program of folders.map((path) => join(path, "node")).filter(existsSync)) {
    const version = execFileSync(program, ["--version"], {
      encoding: "utf8",
      env: { ...process.env, NODE_OPTIONS: "" },
    }).trim();
    const [major = 0, minor = 0] = version.slice(1).split(".").map(Number);
    if (major < 22 || (major === 22 && minor < 18)) return { program, version };
  }
  return undefined;
}
