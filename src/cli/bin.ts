#!/usr/bin/env node
import os from "node:os";

// The first thing that runs, on whatever Node there is: this file parses and runs on Node 18 and
// imports statically only what Node 18 has.

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `millrace needs Node 22.18 or newer; this is v${process.versions.node}: ` +
      "install a current one from https://nodejs.org and put it first on PATH",
  );
  process.exit(1);
}

// One pool serves files, DNS, crypto and zlib of all workers together, and four threads, its
// default, are few for that. Its size counts when its first work comes. Up to here nothing has used
// it: Node ≥ 22 loads modules without it.
process.env["UV_THREADPOOL_SIZE"] ??= String(Math.max(4, 2 * os.availableParallelism()));

const { main } = await import("./main.ts");
// An application that was loaded here, for its edge routes say, may hold timers and sockets: they
// must not keep a server that has ended.
process.exit(await main(process.argv.slice(2)));
