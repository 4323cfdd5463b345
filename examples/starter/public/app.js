// Calls every route of app.ts and shows what came back. Plain browser code, nothing to build.

import { startPing, whilePrimes } from "/ping.js";

const byId = (id) => document.getElementById(id);

/**
 * Asks a route and shows status, time and answer in the panel's `<pre>`.
 * @returns the answer's text; null when there was none
 */
async function ask(pre, path, init) {
  const startMs = performance.now();
  try {
    const response = await fetch(path, { cache: "no-store", ...init });
    const text = await response.text();
    show(pre, { text: text.trim(), bad: !response.ok });
    took(pre, `${response.status} in ${duration(performance.now() - startMs)}`);
    return response.ok ? text : null;
  } catch {
    showNobody(pre);
    return null;
  }
}

function show(pre, { text, bad = false, idle = false }) {
  pre.textContent = text;
  pre.classList.toggle("bad", bad);
  pre.classList.toggle("idle", idle);
}

function showNobody(pre) {
  show(pre, { text: "No answer. Is the server still running?", bad: true });
  took(pre, "");
}

/** The place for the time stands in the line below the answer. */
function took(pre, text) {
  const place = pre.nextElementSibling?.querySelector(".took");
  if (place) place.textContent = text;
}

function duration(ms) {
  return ms < 1_000 ? `${Math.max(1, Math.round(ms))} ms` : `${(ms / 1_000).toFixed(2)} s`;
}

function onSubmit(form, act) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void act();
  });
}

for (const pre of document.querySelectorAll(".answer")) pre.classList.add("idle");

// Hello: asked as you type. An answer that a later one has overtaken is dropped.
const hello = { name: byId("hello-name"), answer: byId("hello-answer"), abort: null };
async function sayHello() {
  hello.abort?.abort();
  const abort = (hello.abort = new AbortController());
  const query = hello.name.value === "" ? "" : `?name=${encodeURIComponent(hello.name.value)}`;
  try {
    const startMs = performance.now();
    const response = await fetch(`/api/hello${query}`, { signal: abort.signal });
    const text = await response.text();
    show(hello.answer, { text, bad: !response.ok });
    took(hello.answer, `${response.status} in ${duration(performance.now() - startMs)}`);
  } catch {
    if (!abort.signal.aborted) showNobody(hello.answer);
  }
}
hello.name.addEventListener("input", () => void sayHello());
onSubmit(byId("hello"), sayHello);
void sayHello();

// Echo: the body goes out as it was typed.
onSubmit(byId("echo"), () =>
  ask(byId("echo-answer"), "/api/echo", { method: "POST", body: byId("echo-body").value }),
);

// Worker or edge: one after the other, so that neither waits for the other.
onSubmit(byId("time"), async () => {
  await ask(byId("time-answer"), "/api/time");
  await ask(byId("now-answer"), "/now");
});

// Stream: read as it comes; the button stops it, and the server hears of that.
const stream = { button: byId("stream").querySelector("button"), abort: null };
onSubmit(byId("stream"), async () => {
  const pre = byId("stream-answer");
  if (stream.abort !== null) {
    stream.abort.abort();
    return;
  }
  const abort = (stream.abort = new AbortController());
  const startMs = performance.now();
  stream.button.textContent = "Stop";
  show(pre, { text: "" });
  try {
    const response = await fetch("/api/stream", { signal: abort.signal });
    for await (const text of texts(response.body)) {
      pre.append(text);
      pre.scrollTop = pre.scrollHeight;
      took(pre, `${response.status}, ${duration(performance.now() - startMs)} so far`);
    }
    took(pre, `${response.status} in ${duration(performance.now() - startMs)}`);
  } catch {
    if (abort.signal.aborted) took(pre, "stopped");
    else showNobody(pre);
  } finally {
    stream.abort = null;
    stream.button.textContent = "Start";
  }
});

/** The pieces of a body as text. Not every browser can iterate a stream, so it is read by hand. */
async function* texts(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

// Primes: the slow route, beside the ping.
const primes = { slider: byId("primes-n"), button: byId("primes").querySelector("button") };
const chosenN = () => Math.round(10 ** Number(primes.slider.value) / 1_000) * 1_000;
function showN() {
  const text = chosenN().toLocaleString("en");
  byId("primes-n-text").textContent = text;
  primes.slider.setAttribute("aria-valuetext", text);
}
primes.slider.addEventListener("input", showN);
showN();
onSubmit(byId("primes"), () =>
  whilePrimes(async () => {
    const pre = byId("primes-answer");
    primes.button.disabled = true;
    show(pre, { text: "Counting …", idle: true });
    took(pre, "");
    await ask(pre, `/api/primes/${chosenN()}`);
    primes.button.disabled = false;
  }),
);

startPing();
