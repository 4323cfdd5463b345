/** What must be there before anything can be measured. */
import { spawnSync } from "node:child_process";
import { existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { BenchError } from "./errors.ts";
import { isExecutable } from "./executables.ts";

/** The checkout. */
export const root = join(import.meta.dirname, "..");

/** Millrace's built command line, relative to the checkout. */
export const distBin = "dist/cli/bin.js";

/**
 * Installs the peers into `bench/node_modules` on the first run, and links Millrace beside them:
 * the apps import it by name, and under a package.json of their own they would not find it.
 */
export function installPeers(): void {
  const modules = join(import.meta.dirname, "node_modules");
  if (!existsSync(join(modules, "fastify"))) {
    console.error("bench: installing the peers (npm ci in bench/, once) …");
    // npm's output is for the person; stdout belongs to the report.
    const stdio = ["ignore", 2, 2] as const;
    const { status } = spawnSync("npm", ["ci"], { cwd: import.meta.dirname, stdio: [...stdio] });
    if (status !== 0) {
      const what = "Cannot install the peers: `npm ci` in bench/ failed; its output is above";
      throw new BenchError("PEERS_INSTALL", what);
    }
  }
  const link = join(modules, "millrace");
  if (!existsSync(link)) symlinkSync("../..", link, "dir");
}

/** Throws `BenchError` unless Millrace has been built. */
export function requireBuild(): void {
  if (existsSync(join(root, distBin))) return;
  const instead = "or leave Millrace out with `--servers node,fastify,hono,bun,nginx`";
  throw new BenchError("NOT_BUILT", `No ${distBin}: run \`npm run build\` first, ${instead}`);
}

/**
 * Bun's binary as its platform package holds it. The `bun` package itself only moves that file into
 * place when its install script runs, and `bench/.npmrc` runs none.
 */
export function bunExecutable(): string | null {
  const cpu = process.arch === "arm64" ? "aarch64" : process.arch;
  const kinds = ["", "-baseline", "-musl", "-musl-baseline"];
  const paths = kinds.map((kind) =>
    join(import.meta.dirname, `node_modules/@oven/bun-${process.platform}-${cpu}${kind}/bin/bun`),
  );
  return paths.find(isExecutable) ?? null;
}
