/** What `loop-delay.ts` asks: workers that spin, and an edge that says how late its loop ran. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { app } from "millrace";

/** The monitor's timer period. It records periods, so this much of every value is no delay. */
const RESOLUTION_MS = 1;

// The module is loaded by every worker and by the edge; only the edge answers /loop-delay, so only
// there is the monitor ever started.
let monitor: ReturnType<typeof monitorEventLoopDelay> | null = null;

export default app()
  .get("/spin", (request) => {
    const until = performance.now() + Number(request.query.get("ms") ?? "100");
    let turns = 0;
    while (performance.now() < until) turns += 1;
    return { turns };
  })
  .get("/light", () => "light")
  .get("/light-edge", { placement: "edge" }, () => "light")
  .get("/loop-delay", { placement: "edge" }, () => {
    if (monitor === null) {
      monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
      monitor.enable();
    }
    const delayMs = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    const seen = {
      count: monitor.count,
      p50Ms: delayMs(monitor.percentile(50)),
      p99Ms: delayMs(monitor.percentile(99)),
      maxMs: delayMs(monitor.max),
    };
    monitor.reset(); // Each answer covers the time since the answer before it.
    return seen;
  });
