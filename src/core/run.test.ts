import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { describe, test } from "node:test";
import type { Application } from "./application.ts";
import { wholeBytesMax } from "./bounds.ts";
import { HttpError } from "./errors.ts";
import type { Handler, HandlerResult } from "./handler.ts";
import { errorReply } from "./problem.ts";
import { asReply, html, redirect, Reply, reply } from "./reply.ts";
import { Request } from "./request.ts";
import type { Responder } from "./responder.ts";
import { runHandler } from "./run.ts";

const recover: Application["recover"] = errorReply;

/** Notes what it is given and insists on the order that `Responder` asks for. */
class RecordingResponder implements Responder {
  open = true;
  status = 0;
  headerText = "";
  body = "";
  length: number | undefined;
  chunks: Buffer[] = [];
  failure: unknown;
  state: "waiting" | "started" | "answered" | "ended" | "failed" = "waiting";
  /** While set, writes wait for it. */
  room: Promise<void> | undefined;

  answer(status: number, headerText: string, body: string): void {
    assert.equal(this.state, "waiting");
    this.state = "answered";
    Object.assign(this, { status, headerText, body });
  }
  start(status: number, headerText: string, length: number): void {
    assert.equal(this.state, "waiting");
    this.state = "started";
    Object.assign(this, { status, headerText, length });
  }
  write(chunk: Uint8Array): Promise<void> | undefined {
    assert.equal(this.state, "started");
    assert.ok(chunk.byteLength <= wholeBytesMax);
    this.chunks.push(Buffer.from(chunk));
    return this.room;
  }
  end(): void {
    assert.equal(this.state, "started");
    this.state = "ended";
  }
  fail(error: unknown): void {
    assert.equal(this.state, "started");
    this.state = "failed";
    this.failure = error;
  }
  get streamed(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

interface Outcome {
  readonly responder: RecordingResponder;
  readonly reported: unknown[];
  readonly request: Request;
}

function begin(
  handler: Handler,
  options: { method?: string; recover?: Handler | typeof recover } = {},
): Outcome {
  const request = new Request(options.method ?? "GET", "/", "host: a\r\n", "::1", null, "");
  const responder = new RecordingResponder();
  const reported: unknown[] = [];
  const application = { recover: (options.recover ?? recover) as typeof recover };
  const report = (error: unknown): void => void reported.push(error);
  runHandler({ application, handler, request, responder, report });
  return { responder, reported, request };
}

async function finished(outcome: Outcome): Promise<Outcome> {
  for (let turn = 0; turn < 200; turn++) {
    if (!["waiting", "started"].includes(outcome.responder.state)) return outcome;
    await setImmediate();
  }
  throw new Error(`no answer after 200 turns, still ${outcome.responder.state}`);
}

const returning =
  (result: unknown): Handler =>
  () =>
    result as HandlerResult;

describe("runHandler answers at once", () => {
  const json = "content-type: application/json\r\n";
  const text = "content-type: text/plain; charset=utf-8\r\n";
  const bytes = "content-type: application/octet-stream\r\n";
  const cases: [name: string, result: unknown, status: number, headerText: string, body: string][] =
    [
      ["a string", "hello", 200, text, "hello"],
      ["an empty string", "", 200, text, ""],
      [
        "a string beyond ASCII, as UTF-8",
        "größe €",
        200,
        text,
        Buffer.from("größe €").toString("latin1"),
      ],
      ["an object", { a: 1 }, 200, json, '{"a":1}'],
      [
        "an object without prototype",
        Object.assign(Object.create(null), { a: 1 }),
        200,
        json,
        '{"a":1}',
      ],
      [
        "an object of a class",
        new (class {
          a = 1;
        })(),
        200,
        json,
        '{"a":1}',
      ],
      ["an array", [1, "ü"], 200, json, Buffer.from('[1,"ü"]').toString("latin1")],
      ["a number", 7, 200, json, "7"],
      ["a boolean", false, 200, json, "false"],
      ["null", null, 204, "", ""],
      ["bytes", new Uint8Array([0, 255]), 200, bytes, "\x00\xff"],
      ["a window on a buffer", Buffer.from("abcdef").subarray(1, 3), 200, bytes, "bc"],
      ["an ArrayBuffer", new Uint8Array([65]).buffer, 200, bytes, "A"],
      ["an empty reply", reply(), 200, "", ""],
      ["a reply with null and a status", reply(null, { status: 201 }), 201, "", ""],
      [
        "a reply with a type of its own",
        reply("{}", { headers: { "Content-Type": "a/b" } }),
        200,
        "content-type: a/b\r\n",
        "{}",
      ],
      [
        "a reply that is JSON",
        reply([1], { status: 202, headers: { "x-n": 5 } }),
        202,
        "x-n: 5\r\n" + json,
        "[1]",
      ],
      ["html", html("<p>"), 200, "content-type: text/html; charset=utf-8\r\n", "<p>"],
      ["a reply of 204 with a body, without it", reply("x", { status: 204 }), 204, "", ""],
      ["a redirect", redirect("/a b/ü\\", 303), 303, "location: /a%20b/%C3%BC%5C\r\n", ""],
      [
        "several lines of a field",
        reply(null, { headers: { link: ["<a>", "<b>"] } }),
        200,
        "link: <a>\r\nlink: <b>\r\n",
        "",
      ],
    ];
  for (const [name, result, status, headerText, body] of cases) {
    test(name, () => {
      const { responder, reported } = begin(returning(result));
      assert.deepEqual(
        [responder.state, responder.status, responder.headerText, responder.body, reported],
        ["answered", status, headerText, body, []],
      );
    });
  }

  test("a promise's result, once it is there", async () => {
    const outcome = begin(async () => ({ late: true }));
    assert.equal(outcome.responder.state, "waiting");
    assert.equal((await finished(outcome)).responder.body, '{"late":true}');
  });

  test("a reply's cookies, each on a line, with careful defaults", () => {
    const cookies = { a: "1 2", b: { value: "x", path: "/b", httpOnly: false, maxAge: 5 } };
    assert.equal(
      begin(returning(reply(null, { cookies }))).responder.headerText,
      "set-cookie: a=1%202; Path=/; HttpOnly; SameSite=Lax\r\n" +
        "set-cookie: b=x; Max-Age=5; Path=/b; SameSite=Lax\r\n",
    );
  });

  test("without the framing an application sets, but with its wish to close, first", () => {
    const headers = {
      "x-a": "1",
      "Transfer-Encoding": "chunked",
      "content-length": 99,
      "keep-alive": "timeout=5",
      upgrade: "h2c",
      te: "x",
      trailer: "x",
      "proxy-connection": "x",
      connection: "keep-alive, Close",
    };
    const { headerText, body } = begin(
      returning(reply("x", { headers: { ...headers, "content-type": "a/b" } })),
    ).responder;
    assert.equal(headerText, "connection: close\r\nx-a: 1\r\ncontent-type: a/b\r\n");
    assert.equal(body, "x");
  });

  test("what middleware made of another handler's result", () => {
    const { responder } = begin(() => {
      const answer = asReply({ a: 1 });
      answer.headers.set("x-by", "middleware");
      return answer;
    });
    assert.equal(responder.headerText, "x-by: middleware\r\ncontent-type: application/json\r\n");
  });
});

describe("runHandler streams", () => {
  async function* generated(): AsyncGenerator<string | Uint8Array> {
    yield "ä";
    await setImmediate();
    yield "";
    yield new Uint8Array([66]);
  }
  function* generatedAtOnce(): Generator<string> {
    yield "a";
    yield "b";
  }
  const cases: [name: string, make: () => unknown, expected: string][] = [
    ["an async generator", generated, "äB"],
    ["a generator", generatedAtOnce, "ab"],
    ["a Node stream", () => Readable.from(["x", Buffer.from("y")]), "xy"],
    ["a web stream", () => new Blob(["web"]).stream(), "web"],
    ["an object that is an async iterable", () => ({ [Symbol.asyncIterator]: generated }), "äB"],
    ["a web Response", () => new Response("hi"), "hi"],
  ];
  for (const [name, make, expected] of cases) {
    test(name, async () => {
      const { responder, reported } = await finished(begin(returning(make())));
      assert.deepEqual([responder.state, responder.streamed, reported], ["ended", expected, []]);
      assert.equal(responder.length, -1);
    });
  }

  test("bytes, text and JSON beyond the whole size, in pieces, with their length", async () => {
    for (const result of [Buffer.alloc(150_000, "a"), "ü".repeat(40_000), ["b".repeat(70_000)]]) {
      const { responder } = await finished(begin(returning(result)));
      assert.equal(responder.state, "ended");
      assert.equal(responder.length, Buffer.concat(responder.chunks).byteLength);
      assert.ok(responder.chunks.length > 1);
    }
  });

  test("with the length its reply gives, and breaks it off when that is wrong", async () => {
    const answerOf = (length: string): Handler =>
      returning(reply(generatedAtOnce(), { headers: { "content-length": length } }));
    const right = (await finished(begin(answerOf("2")))).responder;
    assert.deepEqual([right.length, right.state], [2, "ended"]);
    assert.equal(right.headerText, "content-type: application/octet-stream\r\n");
    for (const wrong of ["1", "3"]) {
      const { responder, reported } = await finished(begin(answerOf(wrong)));
      assert.deepEqual([responder.state, reported.length], ["failed", 1]);
    }
    assert.equal(begin(answerOf("2, 2")).responder.status, 500);
  });

  test("no faster than its reader", async () => {
    let made = 0;
    const gate = Promise.withResolvers<void>();
    const outcome = begin(async function () {
      async function* endless(): AsyncGenerator<string> {
        for (; made < 3;) yield String(++made);
      }
      await setImmediate();
      outcome.responder.room = gate.promise;
      return endless();
    });
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    assert.equal(made, 1);
    outcome.responder.room = undefined;
    gate.resolve();
    assert.equal((await finished(outcome)).responder.streamed, "123");
  });

  test("until the source breaks: the answer is cut, the developer told", async () => {
    const error = new Error("disk");
    async function* breaking(): AsyncGenerator<string> {
      yield "a";
      throw error;
    }
    const { responder, reported } = await finished(begin(returning(breaking())));
    assert.deepEqual([responder.state, responder.failure, reported], ["failed", error, [error]]);
  });

  test("only strings and bytes", async () => {
    const { responder, reported } = await finished(begin(returning(Readable.from([{ a: 1 }]))));
    assert.equal(responder.state, "failed");
    assert.match(String(reported), /Cannot stream a object/);
  });

  test("until the client is gone, and stops the source at once", async () => {
    const stopped: string[] = [];
    const never = (): Promise<void> => new Promise(() => {});
    const web = new ReadableStream({ pull: never, cancel: () => void stopped.push("web") });
    const node = new Readable({
      read() {},
      destroy: (_, done) => (stopped.push("node"), done(null)),
    });
    const iterable = {
      [Symbol.asyncIterator]: () => ({
        next: never,
        return: async () => (stopped.push("iterator"), { done: true, value: undefined }),
      }),
    };
    for (const source of [web, node, iterable]) {
      const outcome = begin(returning(source));
      await setImmediate();
      assert.equal(outcome.responder.state, "started");
      outcome.request.abort();
      assert.equal(outcome.responder.state, "failed");
      await setImmediate();
      assert.deepEqual(outcome.reported, []);
    }
    assert.deepEqual(stopped, ["web", "node", "iterator"]);
  });

  test("nothing to HEAD, and lets the source go", async () => {
    let ran = false;
    let destroyed = false;
    async function* body(): AsyncGenerator<string> {
      ran = true;
      yield "a";
    }
    const first = begin(returning(reply(body(), { headers: { "content-length": 1 } })), {
      method: "HEAD",
    });
    assert.deepEqual([first.responder.state, first.responder.length, ran], ["ended", 1, false]);
    const node = new Readable({
      read() {},
      destroy: (_, done) => ((destroyed = true), done(null)),
    });
    begin(returning(node), { method: "HEAD" });
    await setImmediate();
    assert.ok(destroyed);
    const length = begin(returning(reply(null, { headers: { "content-length": 12 } })), {
      method: "HEAD",
    });
    assert.deepEqual([length.responder.state, length.responder.length], ["ended", 12]);
  });

  test("a Response that came from fetch without what described its encoded bytes", async () => {
    const fetched = new Response("plain", {
      status: 203,
      headers: [
        ["content-encoding", "gzip"],
        ["content-length", "3"],
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
      ],
    });
    Object.defineProperty(fetched, "url", { value: "http://origin/" });
    const { responder } = await finished(begin(returning(fetched)));
    assert.equal(
      responder.headerText,
      "content-type: text/plain;charset=UTF-8\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n",
    );
    assert.deepEqual([responder.status, responder.streamed, responder.length], [203, "plain", -1]);
  });
});

describe("runHandler recovers", () => {
  test("from an HttpError with its status, message and fields, and reports nothing", async () => {
    const error = new HttpError(429, "Slow down", { headers: { "retry-after": "5" } });
    for (const handler of [
      () => {
        throw error;
      },
      async () => {
        throw error;
      },
    ] as Handler[]) {
      const { responder, reported } = await finished(begin(handler));
      assert.equal(responder.status, 429);
      assert.equal(
        responder.headerText,
        "content-type: application/problem+json\r\nretry-after: 5\r\n",
      );
      assert.deepEqual(JSON.parse(responder.body), {
        type: "about:blank",
        title: "Too Many Requests",
        status: 429,
        detail: "Slow down",
      });
      assert.deepEqual(reported, []);
    }
  });

  const unsendable: [name: string, handler: Handler][] = [
    [
      "an error",
      () => {
        throw new Error("secret");
      },
    ],
    [
      "a thrown string",
      () => {
        throw "secret";
      },
    ],
    ["nothing", returning(undefined)],
    ["a function", returning(() => "secret")],
    ["a BigInt in an object", returning({ secret: 1n })],
    [
      "a line break in a field",
      returning(reply("secret", { headers: { "x-a": "b\r\nset-cookie: c=d" } })),
    ],
    ["a line break in a field's name", returning(reply("secret", { headers: { "x\r\na": "b" } }))],
    [
      "a line break in a stream's field",
      returning(reply(Readable.from(["secret"]), { headers: { "x-a": "b\nc" } })),
    ],
    ["a line break in a redirect", () => redirect("/secret\r\nx: y")],
    ["a line break in a cookie", () => reply("secret", { cookies: { "a\r\n": "b" } })],
    ["a status that is none", returning(new Reply("secret", { status: 99 }))],
    ["a promise as body", returning(reply(Promise.resolve("secret")))],
    [
      "a used Response",
      async () => {
        const used = new Response("secret");
        await used.text();
        return used;
      },
    ],
    [
      "a locked stream",
      () => {
        const stream = new Blob(["secret"]).stream();
        stream.getReader();
        return stream;
      },
    ],
  ];
  for (const [name, handler] of unsendable) {
    test(`from ${name} with a 500 that tells nothing, and reports it`, async () => {
      const { responder, reported } = await finished(begin(handler));
      assert.equal(responder.state, "answered");
      assert.equal(responder.status, 500);
      assert.equal(responder.headerText, "content-type: application/problem+json\r\n");
      assert.deepEqual(JSON.parse(responder.body), {
        type: "about:blank",
        title: "Internal Server Error",
        status: 500,
      });
      assert.equal(reported.length, 1);
    });
  }

  test("from a reply that can't be sent, and lets its stream go", async () => {
    let destroyed = false;
    const stream = new Readable({
      read() {},
      destroy: (_, done) => ((destroyed = true), done(null)),
    });
    begin(returning(reply(stream, { headers: { "x-a": "\n" } })));
    await setImmediate();
    assert.ok(destroyed);
  });

  test("through the application's own handler, at once or later", async () => {
    const failing: Handler = () => {
      throw new Error("no such user");
    };
    for (const own of [
      () => reply("gone", { status: 410 }),
      async () => reply("gone", { status: 410 }),
    ]) {
      const { responder, reported } = await finished(begin(failing, { recover: own }));
      assert.deepEqual([responder.status, responder.body, reported], [410, "gone", []]);
    }
  });

  test("from an application's own handler that throws, sends nonsense or throws on", async () => {
    const first = new Error("first");
    const second = new Error("second");
    const failing: Handler = () => {
      throw first;
    };
    const owns: [own: typeof recover, expected: unknown[]][] = [
      [
        () => {
          throw second;
        },
        [first, second],
      ],
      [
        async () => {
          throw second;
        },
        [first, second],
      ],
      [
        (error) => {
          throw error;
        },
        [first],
      ],
    ];
    for (const [own, expected] of owns) {
      const { responder, reported } = await finished(begin(failing, { recover: own }));
      assert.deepEqual([responder.status, reported], [500, expected]);
    }
    const nonsense = await finished(begin(failing, { recover: returning(undefined) }));
    assert.deepEqual([nonsense.responder.status, nonsense.reported.length], [500, 2]);
    const locked = new Blob([""]).stream();
    locked.getReader();
    const unreadable = await finished(begin(failing, { recover: returning(locked) }));
    assert.equal(unreadable.responder.status, 500);
  });

  test("an HttpError that the application's handler throws keeps its status", async () => {
    const own = (): never => {
      throw new HttpError(418, "teapot");
    };
    const { responder } = begin(
      () => {
        throw new Error("x");
      },
      { recover: own },
    );
    assert.equal(responder.status, 418);
  });

  test("after the client is gone without a word, but still ends the answer", async () => {
    const outcome = begin(async (request) => {
      await setImmediate();
      request.signal.throwIfAborted();
      return "late";
    });
    outcome.request.abort();
    await finished(outcome);
    assert.deepEqual([outcome.responder.state, outcome.reported], ["answered", []]);
  });

  test("a stream that comes after the client is gone is stopped unread", async () => {
    let ran = false;
    async function* body(): AsyncGenerator<string> {
      ran = true;
      yield "a";
    }
    const outcome = begin(async () => (await setImmediate(), body()));
    outcome.request.abort();
    await finished(outcome);
    assert.deepEqual([outcome.responder.state, ran, outcome.reported], ["failed", false, []]);
  });
});
