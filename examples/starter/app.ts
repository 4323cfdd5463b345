import { setTimeout as sleep } from "node:timers/promises";
import { threadId } from "node:worker_threads";
import { app, HttpError } from "millrace";

// An application is a module that exports `default app()`. Every worker thread loads it; the edge loop, which does the
// I/O, hands each request to a worker that can start it now. A handler returns what the client shall get.

export default app()
  // An object becomes JSON, a string becomes text.
  .get("/api/hello", (request) => ({
    message: `Hello, ${request.query.get("name") ?? "World"}!`,
  }))

  .get("/api/time", () => ({ time: new Date().toISOString() }))

  // Sends back what it was sent: parsed when it is JSON, else as text. The content type decides nothing here;
  // `request.json()` would insist on a right one.
  .post("/api/echo", async (request) => ({ echo: parsedOrText(await request.text()) }))

  // Slow on purpose, and without a pause: it holds its worker for as long as it computes. The others go on answering.
  .get("/api/primes/:n", (request) => {
    const n = wholeNumber(request.params.n);
    const startMs = performance.now();
    const count = countPrimes(n);
    return { n, count, ms: Math.round(performance.now() - startMs), worker: threadId };
  })

  // Whatever can be iterated streams: each piece is sent when it is there. `request.signal` aborts when the client goes
  // away, so that nobody counts for nobody.
  .get("/api/stream", async function* lines(request) {
    for (let n = 1; n <= 10; n++) {
      yield `line ${n} of 10, sent at ${new Date().toISOString().slice(11, 23)}\n`;
      if (n < 10) await sleep(400, undefined, { signal: request.signal });
    }
  })

  // Runs on the edge loop itself: no hop to a worker, but while it runs nothing else does. For microseconds only.
  .get("/now", { placement: "edge" }, () => "inline on the edge loop")

  // What no route takes is looked up in a folder: /index.html for /, and so on.
  .files("/", new URL("./public/", import.meta.url));

function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Counting to here by trial division takes a worker about two seconds. */
const nMax = 10_000_000;

function wholeNumber(text: string): number {
  const n = Number(text);
  if (/^\d+$/.test(text) && n <= nMax) return n;
  // An HttpError is meant for the client: its status and message are sent. Any other error is a plain 500.
  throw new HttpError(400, `Give a whole number from 0 to ${nMax}`);
}

function countPrimes(n: number): number {
  let count = 0;
  for (let candidate = 2; candidate <= n; candidate++) {
    if (isPrime(candidate)) count += 1;
  }
  return count;
}

function isPrime(n: number): boolean {
  if (n % 2 === 0) return n === 2;
  for (let divisor = 3; divisor * divisor <= n; divisor += 2) {
    if (n % divisor === 0) return false;
  }
  return n > 1;
}
