// Asks /api/time again and again, and draws how long the answers take.

const everyMs = 250;
const shownMs = 20_000;
const width = 600;
const height = 200;

const byId = (id) => document.getElementById(id);

/** Pings shown: when each was asked, how long it took, and whether primes were being counted then. */
let pings = [];
/** Spans in which primes were counted; the last may still be open. */
let runs = [];
let paused = false;

/** Runs `count` and marks the time it takes on the chart. */
export async function whilePrimes(count) {
  const run = { fromMs: performance.now(), toMs: Infinity };
  runs.push(run);
  await count();
  run.toMs = performance.now();
}

/** Starts asking and drawing. */
export function startPing() {
  drawGrid();
  byId("ping-toggle").addEventListener("click", (event) => {
    paused = !paused;
    event.target.textContent = paused ? "Go on" : "Pause";
  });
  void keepAsking();
  keepDrawing();
}

async function keepAsking() {
  for (;;) {
    if (!paused && !document.hidden) await ping();
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

async function ping() {
  const atMs = performance.now();
  try {
    const response = await fetch("/api/time", { cache: "no-store" });
    await response.text();
  } catch {
    byId("ping-now").textContent = "–";
    return;
  }
  const tookMs = performance.now() - atMs;
  pings.push({ atMs, tookMs, busy: runs.some((run) => run.fromMs < atMs && atMs < run.toMs) });
  const oldestMs = atMs - shownMs - 1_000;
  pings = pings.filter((one) => one.atMs > oldestMs);
  runs = runs.filter((run) => run.toMs > oldestMs);
  showFigures(tookMs);
}

function showFigures(tookMs) {
  byId("ping-now").textContent = figure(tookMs);
  for (const [id, busy] of [
    ["ping-calm", false],
    ["ping-busy", true],
  ]) {
    const times = pings.filter((one) => one.busy === busy).map((one) => one.tookMs);
    if (times.length > 0) byId(id).textContent = `${figure(median(times))} ms`;
  }
}

function figure(ms) {
  return ms < 10 ? ms.toFixed(1) : String(Math.round(ms));
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** Latencies are drawn on a logarithmic scale: what would wait for a whole count of primes would stand at the top. */
const lowestMs = 0.5;
const highestMs = 5_000;
function yOf(ms) {
  const share = Math.log(Math.max(ms, lowestMs) / lowestMs) / Math.log(highestMs / lowestMs);
  return height * (1 - Math.min(share, 1));
}

function drawGrid() {
  for (const [ms, label] of [
    [1, "1 ms"],
    [10, "10 ms"],
    [100, "100 ms"],
    [1_000, "1 s"],
  ]) {
    byId("ping-grid").append(svg("line", { x1: 0, x2: width, y1: yOf(ms), y2: yOf(ms) }));
    const text = document.createElement("span");
    text.textContent = label;
    text.style.top = `${(100 * yOf(ms)) / height}%`;
    byId("ping-axis").append(text);
  }
}

/** Draws what there is, again and again: smoothly, or once per ping where the reader wants little motion. */
function keepDrawing() {
  if (!paused) draw(performance.now());
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) setTimeout(keepDrawing, everyMs);
  else requestAnimationFrame(keepDrawing);
}

function draw(nowMs) {
  const xOf = (ms) => width * (1 - (nowMs - Math.min(ms, nowMs)) / shownMs);
  // A segment without length, with round ends, is a dot that keeps its shape in a stretched picture.
  const dots = pings.map((one) => `M${xOf(one.atMs).toFixed(1)} ${yOf(one.tookMs).toFixed(1)}h0`);
  byId("ping-line").setAttribute("d", dots.join(""));
  byId("ping-runs").replaceChildren(
    ...runs.map(({ fromMs, toMs }) => {
      const x = xOf(fromMs);
      return svg("rect", { x, y: 0, width: xOf(toMs) - x, height });
    }),
  );
}

function svg(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
