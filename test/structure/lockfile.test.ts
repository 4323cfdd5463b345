import assert from "node:assert/strict";
import { test } from "node:test";
import { readFile } from "./source-files.ts";

interface Lockfile {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

for (const path of ["package-lock.json", "bench/package-lock.json"]) {
  test(`${path} names no registry, so that an install works through any mirror`, () => {
    assert.deepEqual(hostsIn(read(path)), []);
  });

  test(`${path} locks the binaries of every platform, not only of the one that wrote it`, () => {
    assert.deepEqual(missingPlatforms(read(path)), []);
  });
}

test("The lockfile checks find a registry's host and a platform left out", () => {
  const lock: Lockfile = {
    lockfileVersion: 3,
    packages: {
      "node_modules/a": {
        resolved: "https://registry.example/a.tgz",
        optionalDependencies: { "a-linux": "1", "a-darwin": "1" },
      },
      "node_modules/a-linux": {},
      "node_modules/local": { resolved: "tools/local" },
    },
  };
  assert.deepEqual(hostsIn(lock), ["https://registry.example/a.tgz"]);
  assert.deepEqual(missingPlatforms(lock), ["node_modules/a: a-darwin"]);
});

function read(path: string): Lockfile {
  const lock = JSON.parse(readFile(path)) as Lockfile;
  assert.equal(lock.lockfileVersion, 3);
  return lock;
}

function hostsIn({ packages }: Lockfile): string[] {
  return Object.values(packages).flatMap(({ resolved = "" }) =>
    resolved.includes("://") ? [resolved] : [],
  );
}

// What npm could not find while it wrote the lockfile it leaves out without a word; `npm ci` then
// refuses on every platform.
function missingPlatforms({ packages }: Lockfile): string[] {
  return Object.entries(packages).flatMap(([where, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => packages[`node_modules/${name}`] === undefined)
      .filter((name) => packages[`${where}/node_modules/${name}`] === undefined)
      .map((name) => `${where}: ${name}`),
  );
}
