import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Request } from "./request.ts";
import { RequestHeaders } from "./request-headers.ts";
import { pathOf } from "./request-target.ts";
import type { BodyStream, RequestBody } from "./request-body.ts";

interface Given {
  readonly target?: string;
  readonly headerText?: string;
  readonly body?: RequestBody;
}

function requestOf({ target = "/", headerText = "", body = "" }: Given = {}): Request {
  return new Request("POST", target, headerText, "::1", null, body);
}

function streamOf(...chunks: (string | Error)[]): BodyStream {
  return {
    async *open() {
      for (const chunk of chunks) {
        if (chunk instanceof Error) throw chunk;
        yield Buffer.from(chunk);
      }
    },
  };
}

const latin1 = (text: string): string => Buffer.from(text).toString("latin1");
const json = "Content-Type: application/json\r\n";

describe("RequestHeaders", () => {
  const text =
    "Host: a.example\r\nX-One:  \t spaced out \t\r\nx-two:1\r\nCookie: a=1\r\nX-TWO: 2\r\n" +
    "X-Empty:\r\ncookie: b=2\r\nX-Twofold: no\r\nx-bytes: \xa0\xe9\xa0\r\n";
  const expected: [string, string][] = [
    ["host", "a.example"],
    ["x-one", "spaced out"],
    ["x-two", "1, 2"],
    ["cookie", "a=1; b=2"],
    ["x-empty", ""],
    ["x-twofold", "no"],
    ["x-bytes", "\xa0\xe9\xa0"],
  ];

  test("finds fields in any case, joins those repeated, trims only spaces and tabs", () => {
    const searched = new RequestHeaders(text);
    const parsed = new RequestHeaders(text);
    parsed.keys();
    for (const [name, value] of expected) {
      for (const spelled of [name, name.toUpperCase()]) {
        assert.equal(searched.get(spelled), value);
        assert.equal(parsed.get(spelled), value);
        assert.equal(searched.has(spelled), true);
      }
    }
  });

  test("has null for what wasn't sent, for parts of names and for values that look like fields", () => {
    const headers = new RequestHeaders("x-ab: 1\r\nx-c: x-d: 2\r\n");
    for (const name of ["x-a", "ab", "b", "x-d", "x-c: x-d", "", "x-ab: 1\r\nx-c", "1"]) {
      assert.equal(headers.get(name), null, name);
      assert.equal(headers.has(name), false);
    }
    assert.equal(new RequestHeaders("").get("host"), null);
  });

  test("lists each field once, as it first came", () => {
    const headers = new RequestHeaders(text);
    assert.deepEqual([...headers], expected);
    assert.deepEqual([...headers.entries()], expected);
    assert.deepEqual(
      [...headers.keys()],
      expected.map(([name]) => name),
    );
    assert.deepEqual(
      [...headers.values()],
      expected.map(([, value]) => value),
    );
    const called: unknown[] = [];
    headers.forEach((value, name, all) => called.push([name, value, all === headers]));
    assert.deepEqual(
      called,
      expected.map((pair) => [...pair, true]),
    );
  });

  test("reads a text whose last line isn't ended", () => {
    assert.equal(new RequestHeaders("a: 1\r\nb: 2 ").get("b"), "2");
  });
});

describe("Request", () => {
  test("reduces every form of target to its path (RFC 9112 §3.2)", () => {
    const cases: [target: string, path: string, url: string][] = [
      ["/a/b%20c?d=/e?", "/a/b%20c", "http://h/a/b%20c?d=/e?"],
      ["/", "/", "http://h/"],
      ["/?x", "/", "http://h/?x"],
      ["//x/y", "//x/y", "http://h//x/y"],
      ["/http://x/y", "/http://x/y", "http://h/http://x/y"],
      ["http://o:8/a?b", "/a", "http://o:8/a?b"],
      ["http://o", "/", "http://o"],
      ["http://o?q=/x", "/", "http://o?q=/x"],
      ["*", "*", "http://h"],
    ];
    for (const [target, path, url] of cases) {
      const request = requestOf({ target, headerText: "Host: h\r\n" });
      assert.deepEqual([pathOf(target), request.path, request.url], [path, path, url]);
    }
    const encrypted = requestOf({ target: "/a", headerText: "host: h\r\n" });
    encrypted.secure = true;
    assert.equal(encrypted.url, "https://h/a");
  });

  test("reads query, params and cookies", () => {
    const pattern = { params: (path: string) => ({ id: path.slice(1) }) };
    const headerText = "cookie: a=1%202; b=%zz; __proto__=x; a=3\r\n";
    const request = new Request("GET", "/7?q=a+b&q=%C3%BC", headerText, "::1", pattern, "");
    assert.deepEqual(request.query.getAll("q"), ["a b", "ü"]);
    assert.deepEqual(request.params, { id: "7" });
    assert.equal(request.params, request.params);
    assert.deepEqual({ ...request.cookies }, { a: "1 2", b: "%zz", ["__proto__"]: "x" });
    assert.equal(request.cookies["toString"], undefined);
    assert.equal(requestOf().cookies["toString"], undefined);
    assert.equal(requestOf().params["toString"], undefined);
  });

  test("keeps a state of its own", () => {
    const request = requestOf() as Request<object, { n?: number }>;
    request.state.n = 1;
    assert.deepEqual(request.state, { n: 1 });
    assert.deepEqual(requestOf().state, {});
  });

  test("aborts its signal, made before or after", () => {
    const early = requestOf();
    const { signal } = early;
    assert.deepEqual([signal.aborted, early.aborted], [false, false]);
    const reason = new Error("gone");
    early.abort(reason);
    early.abort(new Error("again"));
    assert.deepEqual([signal.aborted, signal.reason, early.aborted], [true, reason, true]);
    const late = requestOf();
    late.abort();
    assert.deepEqual([late.signal.aborted, late.signal.reason.name], [true, "AbortError"]);
  });

  test("reads a whole body any number of times", async () => {
    const request = requestOf({ headerText: json, body: latin1('{"a":"ü€"}') });
    for (let time = 0; time < 2; time++) {
      assert.deepEqual(await request.json(), { a: "ü€" });
      assert.equal(await request.text(), '{"a":"ü€"}');
      assert.equal(Buffer.from(await request.bytes()).toString(), '{"a":"ü€"}');
    }
    assert.equal(request.bodyUsed, false);
    const bytes = await request.bytes();
    assert.equal(bytes.buffer.byteLength, bytes.byteLength);
  });

  test("reads a streamed body once", async () => {
    const readers: ((request: Request) => Promise<unknown>)[] = [
      (request) => request.json(),
      (request) => request.text(),
      (request) => request.bytes(),
      (request) => new Response(request.body).text(),
    ];
    for (const read of readers) {
      const request = requestOf({ headerText: json, body: streamOf('{"a"', ":1}") });
      assert.ok(request.body);
      assert.equal(request.bodyUsed, false);
      const result = await read(request);
      const text = result instanceof Uint8Array ? Buffer.from(result).toString() : result;
      assert.deepEqual(typeof text === "string" ? JSON.parse(text) : text, { a: 1 });
      assert.equal(request.bodyUsed, true);
      await assert.rejects(request.text(), { name: "TypeError", message: /already read/ });
    }
  });

  test("doesn't use a streamed body up by merely looking at it", async () => {
    const request = requestOf({ body: streamOf("a") });
    assert.ok(request.body);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await request.text(), "a");
  });

  test("passes on what breaks a streamed body", async () => {
    const error = new Error("broke off");
    await assert.rejects(requestOf({ body: streamOf("a", error) }).text(), error);
    await assert.rejects(
      new Response(requestOf({ body: streamOf("a", error) }).body).text(),
      error,
    );
  });

  test("gives a body as a stream, or null", async () => {
    assert.equal(requestOf().body, null);
    const request = requestOf({ body: latin1("ü") });
    assert.equal(request.body, request.body);
    assert.equal(await new Response(request.body).text(), "ü");
    let closed = false;
    const stream: BodyStream = {
      async *open() {
        try {
          yield Buffer.from("a");
          yield Buffer.from("b");
        } finally {
          closed = true;
        }
      },
    };
    const reader = requestOf({ body: stream }).body?.getReader();
    await reader?.read();
    await reader?.cancel();
    assert.ok(closed);
  });

  test("drops a byte order mark and mends broken UTF-8 in text, as the web does", async () => {
    assert.equal(await requestOf({ body: "\xef\xbb\xbfa\xff" }).text(), "a\ufffd");
    assert.deepEqual(await requestOf({ headerText: json, body: "\xef\xbb\xbf[1]" }).json(), [1]);
  });

  const refused: [name: string, headerText: string, body: string, status: number, code: string][] =
    [
      ["no type", "", "{}", 415, "JSON_TYPE"],
      ["another type", "content-type: text/plain\r\n", "{}", 415, "JSON_TYPE"],
      ["a type that only begins so", "content-type: application/jsonp\r\n", "{}", 415, "JSON_TYPE"],
      [
        "a type in a parameter",
        "content-type: text/plain; a=application/json\r\n",
        "{}",
        415,
        "JSON_TYPE",
      ],
      ["a suffix alone", "content-type: +json\r\n", "{}", 415, "JSON_TYPE"],
      ["two types", json + json, "{}", 415, "JSON_TYPE"],
      ["nothing", "", "", 400, "JSON_EMPTY"],
      ["an empty body", json, "", 400, "JSON_EMPTY"],
      ["half of it", json, '{"secret', 400, "JSON_INVALID"],
      ["invalid UTF-8", json, '"\xff"', 400, "JSON_ENCODING"],
    ];
  for (const [name, headerText, body, status, code] of refused) {
    test(`refuses JSON: ${name}`, async () => {
      for (const given of body === "" ? [body] : [body, streamOfBytes(body)]) {
        await assert.rejects(requestOf({ headerText, body: given }).json(), (error: Error) => {
          assert.deepEqual(
            [Reflect.get(error, "status"), Reflect.get(error, "code")],
            [status, code],
          );
          assert.doesNotMatch(error.message, /secret/);
          return true;
        });
      }
    });
  }

  test("takes JSON under any of its names", async () => {
    for (const type of [
      "application/json",
      "Application/JSON ; charset=utf-8",
      "application/problem+json",
      "application/vnd.a+JSON;v=1",
    ]) {
      const headerText = `content-type: ${type}\r\n`;
      assert.deepEqual(await requestOf({ headerText, body: "[]" }).json(), []);
    }
  });
});

function streamOfBytes(body: string): BodyStream {
  return {
    async *open() {
      yield Buffer.from(body, "latin1");
    },
  };
}
