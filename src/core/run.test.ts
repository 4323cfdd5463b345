import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { asReply, html, redirect, reply } from "./reply.ts";
import { begin, finished, returning } from "../../test/support/recording-responder.ts";

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
