import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError, HttpError } from "../core/errors.ts";
import { Router } from "./router.ts";

/** A router of "METHOD /pattern" declarations, each being its own value. */
function routerOf(...declarations: string[]): Router<string> {
  const router = new Router<string>();
  declarations.forEach((text, i) => add(router, text, `src/app.ts:${i + 1}:1`));
  return router;
}

function add(router: Router<string>, text: string, source: string): void {
  const [method = "", pattern = ""] = text.split(" ");
  router.add({ method, pattern, source }, text);
}

test("Router finds literal routes, also with a trailing slash on either side", () => {
  const router = routerOf("GET /", "GET /a", "GET /b/");
  assert.equal(router.find("GET", "/"), "GET /");
  for (const path of ["/a", "/a/"]) assert.equal(router.find("GET", path), "GET /a");
  for (const path of ["/b", "/b/"]) assert.equal(router.find("GET", path), "GET /b/");
  for (const path of ["", "a", "//", "/a//", "//a", "/A", "/ab", "/a/b"]) {
    assert.equal(router.find("GET", path), undefined, path);
    assert.deepEqual(router.allowed(path), [], path);
  }
});

test("Router takes a whole, non-empty segment for a parameter", () => {
  const router = routerOf("GET /a/:x", "GET /a/:x/b");
  for (const path of ["/a/1", "/a/1/", "/a/b.c"]) {
    assert.equal(router.find("GET", path), "GET /a/:x");
  }
  assert.equal(router.find("GET", "/a/1/b"), "GET /a/:x/b");
  for (const path of ["/a", "/a/", "/a//", "/a//b", "/a/1//", "/a/1/c", "/a/1/b/2"]) {
    assert.equal(router.find("GET", path), undefined, path);
  }
});

test("Router takes any rest for a wildcard, also none and empty segments", () => {
  const router = routerOf("GET /files/*");
  for (const path of ["/files", "/files/", "/files/a", "/files/a/b/", "/files//", "/files//a"]) {
    assert.equal(router.find("GET", path), "GET /files/*", path);
  }
  assert.equal(router.find("GET", "/filesystem"), undefined);
  assert.equal(routerOf("GET /*").find("GET", "/"), "GET /*");
});

test("Router prefers literal to parameter to wildcard, leftmost first, whatever the order", () => {
  const declarations = ["GET /*", "GET /:x", "GET /a", "GET /:x/b", "GET /a/:y", "GET /a/*"];
  for (const router of [routerOf(...declarations), routerOf(...declarations.toReversed())]) {
    assert.equal(router.find("GET", "/a"), "GET /a");
    assert.equal(router.find("GET", "/z"), "GET /:x");
    assert.equal(router.find("GET", "/a/b"), "GET /a/:y");
    assert.equal(router.find("GET", "/z/b"), "GET /:x/b");
    assert.equal(router.find("GET", "/a/b/c"), "GET /a/*");
    assert.equal(router.find("GET", "/z/b/c"), "GET /*");
    assert.equal(router.find("GET", "/"), "GET /*");
  }
});

test("Router backs out of a more specific branch that leads nowhere", () => {
  const router = routerOf("GET /a/b/c", "GET /a/:x/d", "GET /:x/b/e", "GET /a/*");
  assert.equal(router.find("GET", "/a/b/d"), "GET /a/:x/d");
  assert.equal(router.find("GET", "/a/b/e"), "GET /a/*");
  assert.equal(router.find("GET", "/z/b/e"), "GET /:x/b/e");
});

test("Router passes over a more specific path without the method, and allows the union", () => {
  const router = routerOf("GET /a/b", "POST /a/:x", "DELETE /a/*", "PUT /other");
  assert.equal(router.find("GET", "/a/b"), "GET /a/b");
  assert.equal(router.find("POST", "/a/b"), "POST /a/:x");
  assert.equal(router.find("DELETE", "/a/b"), "DELETE /a/*");
  assert.equal(router.find("PUT", "/a/b"), undefined);
  assert.deepEqual(router.allowed("/a/b"), ["DELETE", "GET", "HEAD", "OPTIONS", "POST"]);
  assert.deepEqual(router.allowed("/a/c"), ["DELETE", "OPTIONS", "POST"]);
  assert.deepEqual(router.allowed("/other/"), ["OPTIONS", "PUT"]);
  assert.deepEqual(router.allowed("/none"), []);
});

test("Router gives HEAD the most specific of HEAD and GET (RFC 9110 §9.3.2)", () => {
  const router = routerOf("GET /a", "GET /b", "HEAD /b", "HEAD /:x", "POST /c/d", "GET /c/:x");
  assert.equal(router.find("HEAD", "/a"), "GET /a");
  assert.equal(router.find("HEAD", "/b"), "HEAD /b");
  assert.equal(router.find("HEAD", "/z"), "HEAD /:x");
  assert.equal(router.find("HEAD", "/c/d"), "GET /c/:x");
  assert.deepEqual(router.allowed("/z"), ["HEAD", "OPTIONS"]);
});

test("Router compares methods case-sensitively (RFC 9110 §9.1)", () => {
  const router = routerOf("GET /a", "get /a");
  assert.equal(router.find("get", "/a"), "get /a");
  assert.equal(router.find("Get", "/a"), undefined);
});

for (const [first, second] of [
  ["GET /a", "GET /a/"],
  ["GET /a/:x", "GET /a/:y"],
  ["GET /*", "GET /*rest"],
  ["GET /:x/b/*r", "GET /:y/b/*"],
  ["GET /café", "GET /caf%c3%a9"],
  ["GET /a%2Fb", "GET /a%2fb"],
] as const) {
  test(`Router refuses ${second} after ${first}, naming both places`, () => {
    const router = routerOf(first);
    assert.throws(
      () => add(router, second, "src/other.ts:9:3"),
      (error) =>
        error instanceof ConfigError &&
        error.code === "ROUTE_COLLISION" &&
        error.message.includes(`${first} (src/app.ts:1:1)`) &&
        error.message.includes(`${second} (src/other.ts:9:3)`),
    );
  });
}

test("Router accepts what only overlaps", () => {
  routerOf(
    "GET /a",
    "POST /a",
    "HEAD /a",
    "GET /:x",
    "GET /*",
    "GET /a/*",
    "GET /a/b",
    "GET /%2Fa",
  );
});

test("Router decodes a segment once before it compares", () => {
  const router = routerOf("GET /café", "GET /a%2Fb", "GET /%2541", "GET /100%25", "GET /a/b");
  for (const path of ["/café", "/caf%C3%A9", "/caf%c3%a9/", "/%63af%C3%A9"]) {
    assert.equal(router.find("GET", path), "GET /café", path);
  }
  for (const path of ["/a%2Fb", "/%61%2fb"]) assert.equal(router.find("GET", path), "GET /a%2Fb");
  assert.equal(router.find("GET", "/a/b"), "GET /a/b");
  assert.equal(router.find("GET", "/%2541"), "GET /%2541");
  assert.equal(router.find("GET", "/%41"), undefined);
  assert.equal(router.find("GET", "/100%25"), "GET /100%25");
  assert.throws(() => router.find("GET", "/100%"), HttpError);
  // Decoded twice this would be "/café".
  assert.equal(router.find("GET", "/caf%25C3%25A9"), undefined);
});

test("Router never splits a segment at %2F", () => {
  const router = routerOf("GET /:x", "GET /:x/:y");
  assert.equal(router.find("GET", "/a%2Fb"), "GET /:x");
  assert.equal(router.find("GET", "/%2F/a"), "GET /:x/:y");
});

test("Router finds its way among many literals of one place", () => {
  const names = Array.from({ length: 40 }, (_, i) => `s${i}`);
  const router = routerOf(...names.map((name) => `GET /:x/${name}`));
  for (const name of names) assert.equal(router.find("GET", `/1/${name}`), `GET /:x/${name}`);
  assert.equal(router.find("GET", "/1/s40"), undefined);
  assert.throws(() => add(router, "GET /:y/s39", "again"), ConfigError);
});

function refusal(path: string): string | undefined {
  const router = routerOf("GET /*", "GET /a/b");
  const codes = [() => router.find("GET", path), () => router.allowed(path)].map((ask) => {
    try {
      ask();
      return undefined;
    } catch (error) {
      assert.ok(error instanceof HttpError);
      assert.equal(error.status, 400);
      return error.code;
    }
  });
  assert.equal(codes[0], codes[1]);
  return codes[0];
}

test("Router refuses malformed escapes and invalid UTF-8 with 400", () => {
  const paths = [
    "/%",
    "/a%2",
    "/%zz",
    "/%ff",
    "/%C3",
    "/%C3/%A9",
    "/%c0%af",
    "/%ed%a0%80",
    "/%u0041",
  ];
  for (const path of paths) assert.equal(refusal(path), "PATH_ENCODING", path);
});

test("Router refuses dot segments and NUL with 400, however they are written", () => {
  for (const path of [
    ..."/. /.. /a/../b /a/. /a/./b /../ //.. /%2e /%2E%2e/a /.%2e /a/%2e. /a%2f..".split(" "),
    ..."/..%2fa /a%2F..%2Fb /a%2f. /a\\.. /..\\a /a\\..\\b /a%5c.. /%5c%2e%2e /a\\./b".split(" "),
    ..."/%00 /a%00b /%2500/%00".split(" "),
    "/a\0b",
  ]) {
    assert.equal(refusal(path), "PATH_TRAVERSAL", JSON.stringify(path));
  }
});

test("Router leaves dots that are no dot segment alone", () => {
  for (const path of "/.a /... /a. /a.. /..a /a/.b/c /.well-known/x /a\\b /%252e%252e /a%5cb".split(
    " ",
  )) {
    assert.equal(refusal(path), undefined, path);
  }
});
