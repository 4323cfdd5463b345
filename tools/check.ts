/**
 * `npm run check`: everything a change must pass. All steps run, also after one has failed, so that one
 * run shows all there is to mend. `--except tests` leaves a step out.
 */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

/** Each is an npm script. In the order of how soon they answer. */
const steps = [
  { name: "format", script: "check:format", what: "prettier" },
  { name: "types", script: "check:types", what: "tsc" },
  { name: "lint", script: "lint", what: "oxlint, type-aware" },
  { name: "exports", script: "check:exports", what: "knip: unused exports, files, dependencies" },
  { name: "tests", script: "test", what: "quick tier, with the import table and the style limits" },
];

/** Far above what any step takes. Node's own test timeout ends no test file that leaves a handle open. */
const timeoutMs = 15 * 60_000;

const { except } = parseArgs({
  options: { except: { type: "string", multiple: true, default: [] } },
}).values;
const names = steps.map(({ name }) => name);
const unknown = except.find((name) => !names.includes(name));
if (unknown !== undefined) {
  console.error(`No step \`${unknown}\`: there are ${names.join(", ")}`);
  process.exit(2);
}

const results = steps
  .filter(({ name }) => !except.includes(name))
  .map(({ name, script, what }) => {
    console.log(`\n── ${name}: ${what}`);
    const startMs = performance.now();
    const { status } = spawnSync(process.execPath, ["--run", script], {
      stdio: "inherit",
      timeout: timeoutMs,
    });
    const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
    return { line: `${status === 0 ? "passed" : "FAILED"}  ${name} (${seconds} s)`, status };
  });

console.log(`\n── check\n${results.map(({ line }) => line).join("\n")}`);
process.exit(results.every(({ status }) => status === 0) ? 0 : 1);
