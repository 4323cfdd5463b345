import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "../core/errors.ts";
import { lastChunkWith, textChunk } from "./chunk-text.ts";
import { type Heard, hear, listener } from "./hearing.test.ts";
import { defaultParserLimits } from "./limits.ts";
import { RequestParser } from "./parser.ts";

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
const chunked =
  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x\r\nbc\r\n0\r\nT: u\r\n\r\n";
const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

test("Parser pushes a body on without copying it", () => {
  const spans: [Buffer, number, number][] = [];
  const sink = {
    head() {},
    body: (...span: [Buffer, number, number]) => void spans.push(span),
    end() {},
  };
  const buffer = bytes(post);
  new RequestParser(sink, defaultParserLimits).push(buffer);
  assert.equal(spans.length, 1);
  assert.equal(spans[0]![0], buffer);
  assert.deepEqual(spans[0]!.slice(1), [buffer.length - 3, buffer.length]);
});

test("Parser throws the same error again once it is dead", () => {
  const { parser, requests } = listener();
  assert.throws(() => parser.push(bytes("\0")), { code: "METHOD" });
  assert.throws(() => parser.push(bytes(get)), { code: "METHOD" });
  assert.throws(() => parser.resume(), { code: "METHOD" });
  assert.equal(requests.length, 0);
  assert.equal(parser.midMessage, false);
});

test("Parser is dead after its sink threw", () => {
  const broken = new Error("broken");
  const { parser } = listener(defaultParserLimits, () => {
    throw broken;
  });
  assert.throws(() => parser.push(bytes(get)), broken);
  assert.throws(() => parser.push(bytes(get)), broken);
});

test("Parser refuses to be pushed by its sink", () => {
  const { parser } = listener(defaultParserLimits, (inner) => inner.push(bytes(get)));
  assert.throws(() => parser.push(bytes(get)), /must not call push/);
});

test("Parser stops after the sink call that paused it, and goes on when resumed", () => {
  const { parser, requests } = listener(defaultParserLimits, (inner) => inner.pause());
  const buffer = bytes(get + post + chunked);
  parser.push(buffer);
  buffer.fill(0);
  const ends = (): string =>
    requests
      .map((request) => `${request.body}${request.trailers === undefined ? "…" : "."}`)
      .join("");
  const seen = [ends()];
  assert.equal(parser.paused, true);
  assert.equal(parser.midMessage, true);
  while (parser.paused) {
    parser.resume();
    seen.push(ends());
    if (seen.length > 20) break;
  }
  assert.deepEqual(seen, [
    "…",
    ".",
    ".…",
    ".abc…",
    ".abc.",
    ".abc.…",
    ".abc.a…",
    ".abc.abc…",
    ".abc.abc.",
    ".abc.abc.",
  ]);
  assert.equal(parser.midMessage, false);
});

test("Parser keeps what is pushed while paused", () => {
  const { parser, requests } = listener();
  parser.pause();
  for (const octet of get + post) parser.push(bytes(octet));
  assert.equal(requests.length, 0);
  assert.equal(parser.midHead, false);
  parser.resume();
  assert.deepEqual(requests, hear([get + post]).requests);
});

test("Parser resumed by its sink goes on", () => {
  const { parser, requests } = listener(defaultParserLimits, (inner) => {
    inner.pause();
    inner.resume();
  });
  parser.push(bytes(get + post));
  assert.deepEqual(requests, hear([get + post]).requests);
});

test("Parser throws from resume() what it would have thrown from push()", () => {
  const { parser } = listener();
  parser.pause();
  parser.push(bytes("\0"));
  assert.throws(() => parser.resume(), ProtocolError);
});

test("Parser ignores everything once stopped, even by its sink", () => {
  const { parser, requests } = listener(defaultParserLimits, (inner) => inner.stop());
  parser.push(bytes(get + "\0garbage"));
  parser.push(bytes("\0"));
  parser.resume();
  assert.equal(requests.length, 1);
  assert.equal(requests[0]!.trailers, undefined);
  assert.equal(parser.midMessage, false);
});

test("Parser gives back what followed an upgrade request (RFC 9110 §7.8)", () => {
  const { parser, requests } = listener(defaultParserLimits, (inner) => inner.pause());
  parser.push(bytes(`${get}\x81\0`));
  parser.push(bytes("\x82"));
  assert.equal(parser.detach().toString("latin1"), "\x81\0\x82");
  parser.resume();
  assert.equal(requests.length, 1);
});

test("Parser tells whether a message is unfinished", () => {
  const { parser } = listener();
  const states = (): [boolean, boolean] => [parser.midHead, parser.midMessage];
  assert.deepEqual(states(), [false, false]);
  parser.push(bytes("\r\n"));
  assert.deepEqual(states(), [false, false]);
  parser.push(bytes("P"));
  assert.deepEqual(states(), [true, true]);
  parser.push(bytes(post.slice(1, -3)));
  assert.deepEqual(states(), [false, true]);
  parser.push(bytes("abc"));
  assert.deepEqual(states(), [false, false]);
  parser.push(bytes(chunked.slice(0, -1)));
  assert.deepEqual(states(), [false, true]);
  parser.push(bytes("\n"));
  assert.deepEqual(states(), [false, false]);
});

test("Parser forgets texts when released, and parses on", () => {
  const { parser, requests } = listener();
  parser.push(bytes("G"));
  parser.release();
  parser.push(bytes(get.slice(1) + chunked));
  parser.release();
  assert.deepEqual(
    [parser.method, parser.target, parser.path, parser.headers, parser.host],
    ["", "", "", "", ""],
  );
  parser.push(bytes(chunked + get));
  assert.deepEqual(requests, hear([get + chunked + chunked + get]).requests);
});

test("Parser accepts what is exactly as large as each limit, and not one more", () => {
  const cases: [sent: string, limit: keyof typeof defaultParserLimits, size: number][] = [
    [get, "requestLineBytesMax", "GET / HTTP/1.1\r\n".length],
    [get, "headBytesMax", get.length],
    [`\r\n${get}`, "headBytesMax", get.length],
    [get, "headerCountMax", 1],
    [chunked, "chunkExtensionBytesMax", 1],
    [chunked, "trailerBytesMax", "T: u\r\n\r\n".length],
  ];
  for (const [sent, limit, size] of cases) {
    for (const pieces of [[sent], [...sent]]) {
      assert.equal(hear(pieces, { ...defaultParserLimits, [limit]: size }).error, undefined, limit);
      const less = { ...defaultParserLimits, [limit]: size - 1 };
      assert.notEqual(hear(pieces, less).error, undefined, limit);
    }
  }
});

test("Parser refuses an endless line as soon as its bound is reached (RFC 9112 §3)", () => {
  const refusedAfter = (start: string): number => {
    const { parser } = listener();
    parser.push(bytes(start));
    for (let count = start.length; count < 20_000; count += 1) {
      try {
        parser.push(bytes("a"));
      } catch {
        return count + 1;
      }
    }
    return Infinity;
  };
  assert.equal(refusedAfter("GET /"), defaultParserLimits.requestLineBytesMax);
  assert.equal(refusedAfter("GET / HTTP/1.1\r\nA: "), defaultParserLimits.headBytesMax);
});

test("Parser takes a full-size head one octet at a time in bounded time", () => {
  const head = `GET / HTTP/1.1\r\nHost: a\r\n${`A: ${"b".repeat(150)}\r\n`.repeat(99)}\r\n`;
  const octets = [...head].map(bytes);
  let bestMs = Infinity;
  for (let round = 0; round < 5; round += 1) {
    const { parser, requests } = listener();
    const startedMs = performance.now();
    for (const octet of octets) parser.push(octet);
    bestMs = Math.min(bestMs, performance.now() - startedMs);
    assert.equal(requests.length, 1);
  }
  // Measured: 2 ms; over 100 ms if every octet scanned all before it again.
  assert.ok(bestMs < 50, `${bestMs} ms`);
});

const tokens = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/);
const values = fc
  .array(
    fc.integer({ min: 0x20, max: 0xff }).filter((unit) => unit !== 0x7f),
    { maxLength: 40 },
  )
  .map((units) => String.fromCharCode(...units).trim());
const acted = /^(?:host|connection|content-length|transfer-encoding|expect|upgrade)$/i;
const contents = fc
  .uint8Array({ maxLength: 200 })
  .map((octets) => Buffer.from(octets).toString("latin1"));

const requestsSent = fc
  .record({
    method: fc
      .oneof(fc.constantFrom("GET", "POST", "HEAD", "DELETE"), tokens)
      .filter((name) => name !== "CONNECT"),
    path: fc.stringMatching(/^\/[!"$-=@-~>]{0,60}$/),
    query: fc.option(fc.stringMatching(/^[!"$-~]{0,60}$/)),
    fields: fc.array(
      fc.tuple(
        tokens.filter((name) => !acted.test(name)),
        values,
      ),
      { maxLength: 12 },
    ),
    body: fc.option(contents),
    chunks: fc.option(fc.array(contents, { maxLength: 5 })),
    close: fc.boolean(),
  })
  .map(({ method, path, query, fields, body, chunks, close }) => {
    const target = query === null ? path : `${path}?${query}`;
    let headers = "Host: a.example:80\r\n";
    for (const [name, value] of fields) headers += `${name}: ${value}\r\n`;
    if (close) headers += "Connection: close\r\n";
    if (chunks !== null) headers += "Transfer-Encoding: chunked\r\n";
    else if (body !== null) headers += `Content-Length: ${body.length}\r\n`;
    const content =
      chunks !== null ? chunks.map(textChunk).join("") + lastChunkWith("A: b\r\n") : (body ?? "");
    const expected: Heard = {
      ...{
        method,
        target,
        path,
        query: query ?? "",
        versionMinor: 1,
        headers,
        host: "a.example:80",
      },
      contentLength: chunks !== null ? -1 : (body ?? "").length,
      chunked: chunks !== null,
      hasBody: chunks !== null || (body ?? "") !== "",
      ...{ keepAlive: !close, expectContinue: false, upgrade: false },
      body: chunks !== null ? chunks.join("") : (body ?? ""),
      trailers: chunks !== null ? "A: b\r\n" : "",
    };
    return { sent: `${method} ${target} HTTP/1.1\r\n${headers}\r\n${content}`, expected };
  });

/** `text` cut at places that `cuts` choose. */
function cut(text: string, cuts: readonly number[]): string[] {
  const places = [...new Set(cuts.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((place, index) => text.slice(place, places[index] ?? text.length));
}

const cuts = fc.array(fc.nat(), { maxLength: 20 });

test("Parser hears any requests as they were meant, however they are cut", () => {
  fc.assert(
    fc.property(fc.array(requestsSent, { minLength: 1, maxLength: 4 }), cuts, (all, places) => {
      const sent = all.map((one) => one.sent).join("");
      const expected = all.map((one) => one.expected);
      assert.deepEqual(hear(cut(sent, places)), { requests: expected, error: undefined });
    }),
    { numRuns: 500 },
  );
});

test("Parser hears the same when paused and resumed at any place", () => {
  fc.assert(
    fc.property(
      fc.array(requestsSent, { minLength: 1, maxLength: 3 }),
      cuts,
      fc.infiniteStream(fc.boolean()),
      (all, places, choices) => {
        const chosen = (): boolean => choices.next().value === true;
        const { parser, requests } = listener(defaultParserLimits, (inner) => {
          if (chosen()) inner.pause();
        });
        const sent = all.map((one) => one.sent).join("");
        for (const piece of cut(sent, places)) {
          const buffer = bytes(piece);
          parser.push(buffer);
          buffer.fill(0xaa);
          if (chosen()) parser.resume();
        }
        while (parser.paused) parser.resume();
        assert.deepEqual(
          requests,
          all.map((one) => one.expected),
        );
      },
    ),
    { numRuns: 500 },
  );
});

test("Parser meets garbage with ProtocolError and nothing else, the same however it is cut", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "GET ",
      "/",
      " HTTP/1.1",
      "\r\n",
      "\r",
      "\n",
      "Host: a\r\n",
      "Host",
      ":",
      " ",
      "\t",
      "\0",
      get,
    ),
    fc.constantFrom(
      "Content-Length: ",
      "Transfer-Encoding: chunked\r\n",
      "5",
      "0\r\n\r\n",
      ";",
      "a",
      "\xff",
      post,
      chunked,
    ),
    fc.string({ unit: "binary", maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), cuts, (pieces, places) => {
      // A head cut short may wait where a whole one is refused at once; the end of its line settles
      // it.
      const sent = `${pieces.join("")}\r\n`.replaceAll(/[^\0-\xff]/g, "?");
      const whole = hear([sent]);
      assert.deepEqual(hear([...sent]), whole);
      assert.deepEqual(hear(cut(sent, places)), whole);
    }),
    { numRuns: 2000 },
  );
});
