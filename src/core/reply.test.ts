import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderList } from "./header-list.ts";
import { asReply, redirect, Reply, reply } from "./reply.ts";

test("HeaderList sets, adds, reads and takes away fields in any case", () => {
  const list = new HeaderList({ "X-A": 1, b: ["2", "3"] });
  list.append("x-a", "4");
  assert.deepEqual(
    [...list],
    [
      ["x-a", "1"],
      ["b", "2"],
      ["b", "3"],
      ["x-a", "4"],
    ],
  );
  assert.deepEqual([list.get("X-a"), list.get("B"), list.get("c")], ["1, 4", "2, 3", null]);
  list.set("B", "5");
  list.delete("X-A");
  assert.deepEqual(
    [[...list], list.size, list.has("b"), list.has("x-a")],
    [[["b", "5"]], 1, true, false],
  );
});

test("HeaderList copies pairs and web Headers, each Set-Cookie on a line of its own", () => {
  const headers = new Headers([
    ["set-cookie", "a=1"],
    ["set-cookie", "b=2"],
    ["x", "y"],
  ]);
  for (const list of [new HeaderList(headers), new HeaderList([...headers])]) {
    assert.deepEqual(list.getSetCookie(), ["a=1", "b=2"]);
    assert.equal(list.get("x"), "y");
  }
});

test("asReply keeps a Reply and makes one of everything else", async () => {
  const own = reply("a");
  assert.equal(asReply(own), own);
  assert.deepEqual([asReply(null).status, asReply("x").body], [204, "x"]);
  assert.throws(() => asReply(undefined as never), { code: "RESULT_MISSING" });
  const web = asReply(new Response("hi", { status: 201, headers: { "x-a": "b" } }));
  assert.deepEqual([web.status, web.headers.get("x-a"), web instanceof Reply], [201, "b", true]);
});

test("redirect encodes what may not stand in a URL and leaves the rest", () => {
  const cases: [location: string | URL, expected: string][] = [
    ["/a?b=c&d=%20#e", "/a?b=c&d=%20#e"],
    ["https://[::1]:8/x", "https://[::1]:8/x"],
    ['/ü x"<>', "/%C3%BC%20x%22%3C%3E"],
    ["/\\evil.example", "/%5Cevil.example"],
    ["/\ud800", "/%EF%BF%BD"],
    [new URL("http://a/ü"), "http://a/%C3%BC"],
  ];
  for (const [location, expected] of cases) {
    assert.equal(redirect(location).headers.get("location"), expected);
  }
  assert.equal(redirect("/", 308).status, 308);
});

test("redirect refuses control characters and other statuses", () => {
  for (const location of ["/a\r\nx: y", "/a\nb", "/\0", "/\x7f"]) {
    assert.throws(() => redirect(location), { code: "REDIRECT_LOCATION" });
  }
  assert.throws(() => redirect("/", 200 as never), { code: "REDIRECT_STATUS" });
});

test("cookies that can't be sent are refused without telling their value", () => {
  for (const cookies of [
    { "a=b": "secret" },
    { a: { value: "secret", path: "/;" } },
    { a: { value: "secret", domain: "a\r\nb" } },
  ]) {
    assert.throws(
      () => reply(null, { cookies }),
      (error: Error) =>
        Reflect.get(error, "code") === "COOKIE" && !error.message.includes("secret"),
    );
  }
});
