import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { describe, test } from "node:test";
import { HttpError } from "./errors.ts";
import type { Handler } from "./handler.ts";
import { redirect, Reply, reply } from "./reply.ts";
import {
  begin,
  finished,
  type recover,
  returning,
} from "../../test/support/recording-responder.ts";

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
