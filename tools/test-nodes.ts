/**
 * `npm run test:nodes [-- 22 26]`: the quick tests on the other Node versions that Millrace supports. Their
 * binaries come from npm, like the one that scripts run on, into a temporary folder.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const supported = ["22", "26"];
/** Far above what the quick tests take. Node's own test timeout ends no file that leaves a handle open. */
const timeoutMs = 10 * 60_000;
const root = new URL("../", import.meta.url);

const majors = process.argv.length > 2 ? process.argv.slice(2) : supported;
const folder = mkdtempSync(join(tmpdir(), "millrace-nodes-"));
let failures = 0;
try {
  for (const major of majors) {
    const node = install(major);
    console.log(`\n── quick tests on Node ${run(node, ["--version"], "pipe").trim()}`);
    try {
      run(node, testArguments(), "inherit", { NODE_OPTIONS: nodeOptions(node) });
    } catch (error) {
      failures += 1;
      console.error(String(error));
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failures === 0 ? 0 : 1);

/** Installs Node's newest release of one major version and returns the path of its binary. */
function install(major: string): string {
  const name = binaryPackage();
  const prefix = join(folder, major);
  console.log(`\n── installing ${name}@${major}`);
  const install = ["install", "--no-save", "--prefix", prefix, `${name}@${major}`];
  run(process.platform === "win32" ? "npm.cmd" : "npm", install, "inherit");
  const binary = process.platform === "win32" ? "node.exe" : "node";
  return join(prefix, "node_modules", name, "bin", binary);
}

/** The npm package that holds Node for this platform, as tools/node lists them. */
function binaryPackage(): string {
  const { optionalDependencies } = readJson("tools/node/package.json") as {
    optionalDependencies: Record<string, string>;
  };
  const platform = process.platform === "win32" ? "win" : process.platform;
  const suffix = `${platform}-${process.arch}`;
  const found = Object.keys(optionalDependencies).find((name) => name.endsWith(suffix));
  if (found === undefined) throw new Error(`tools/node lists no Node for ${suffix}`);
  return found;
}

/** What `npm test` hands to Node, so that both run the same tests. */
function testArguments(): string[] {
  const { scripts } = readJson("package.json") as { scripts: { test: string } };
  const [node, ...rest] = scripts.test.split(" ").map((word) => word.replaceAll('"', ""));
  if (node !== "node") throw new Error(`Cannot take apart the test script \`${scripts.test}\``);
  // Node 22 would print TAP where no terminal is.
  return ["--test-reporter=spec", ...rest];
}

/** Node 24 was the first with `using`; see lower-using.ts. In NODE_OPTIONS, so that children get it too. */
function nodeOptions(node: string): string {
  const hasUsing = Number.parseInt(run(node, ["--version"], "pipe").slice(1), 10) >= 24;
  return hasUsing ? "" : `--import=${new URL("lower-using.ts", import.meta.url).href}`;
}

/** Runs a program to its end, with `bin` first in the search path, so that children find the same Node. */
function run(program: string, args: string[], output: "inherit" | "pipe", env = {}): string {
  const path = `${join(program, "..")}${delimiter}${process.env["PATH"] ?? ""}`;
  const { status, signal, error, stdout } = spawnSync(program, args, {
    cwd: root,
    env: { ...process.env, PATH: path, ...env },
    stdio: ["ignore", output, "inherit"],
    encoding: "utf8",
    timeout: timeoutMs,
  });
  if (status === 0) return stdout ?? "";
  const why = error?.message ?? signal ?? `exit code ${status}`;
  throw new Error(`${program} ${args.join(" ")}: ${why}`);
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, root), "utf8"));
}
