import { parentPort, workerData } from "node:worker_threads";
import { describeError } from "../core/errors.ts";
import type { BootData, BootReport } from "./boot.ts";
import { describeLoadFailure, loadApplication } from "./load-app.ts";
import { RequestLoop } from "./request-loop.ts";
import { printDirectly } from "./stdio.ts";

// The worker's first module: loads the application, reports its manifest, then takes requests.

const boot = workerData as BootData;
printDirectly();
process.on("unhandledRejection", (reason) => {
  // The promise belongs to nobody, so no request can be blamed, and none is harmed: the worker goes
  // on.
  console.error(`Unhandled rejection in a worker: ${describeError(reason)}`);
});

try {
  // Imported here and not by `execArgv: ["--import", …]`: a worker with its own execArgv refuses
  // V8's options, so that `node --max-old-space-size=…` would no longer start. A loader registered
  // here serves every import after it.
  for (const url of boot.imports) await import(url);
  const application = await loadApplication(boot.appUrl);
  const manifest = application.manifest();
  const loop = new RequestLoop({
    application,
    port: boot.port,
    memory: boot.memory,
    report: (error, request) => {
      console.error(`${request.method} ${request.path} failed: ${describeError(error)}`);
    },
  });
  loop.listen();
  report({ kind: "ready", manifest });
} catch (cause) {
  report({ kind: "failed", ...describeLoadFailure(cause) });
}

function report(message: BootReport): void {
  parentPort?.postMessage(message);
}
