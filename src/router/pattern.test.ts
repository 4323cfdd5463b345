import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError, HttpError } from "../core/errors.ts";
import { compilePattern, type ParamsOf } from "./pattern.ts";

test("Pattern lists segments and names in order", () => {
  const pattern = compilePattern("/orgs/:org/files/*rest");
  assert.equal(pattern.text, "/orgs/:org/files/*rest");
  assert.deepEqual(pattern.segments, [
    { kind: "literal", value: "orgs" },
    { kind: "param", name: "org" },
    { kind: "literal", value: "files" },
    { kind: "wildcard", name: "rest" },
  ]);
  assert.deepEqual(pattern.names, ["org", "rest"]);
});

test("Pattern has no segments for the root, and none for a trailing slash", () => {
  assert.deepEqual(compilePattern("/").segments, []);
  assert.deepEqual(compilePattern("/a/").segments, compilePattern("/a").segments);
  assert.deepEqual(compilePattern("/*/").segments, compilePattern("/*").segments);
});

test("Pattern takes literals decoded or percent-encoded, also those with a meaning", () => {
  const literal = (text: string) => compilePattern(text).segments[0];
  assert.deepEqual(literal("/café"), { kind: "literal", value: "café" });
  assert.deepEqual(literal("/caf%C3%A9"), { kind: "literal", value: "café" });
  assert.deepEqual(literal("/%3Aid"), { kind: "literal", value: ":id" });
  assert.deepEqual(literal("/%2A"), { kind: "literal", value: "*" });
  assert.deepEqual(literal("/%3F%23%25"), { kind: "literal", value: "?#%" });
  assert.deepEqual(literal("/a%2Fb"), { kind: "literal", value: "a/b" });
  assert.deepEqual(literal("/%2541"), { kind: "literal", value: "%41" });
  assert.deepEqual(literal("/.well-known"), { kind: "literal", value: ".well-known" });
});

const refused: readonly [string, RegExp][] = [
  ["", /start it with "\/"/],
  ["users", /start it with "\/"/],
  ["*", /start it with "\/"/],
  ["//", /empty segment/],
  ["/a//b", /empty segment/],
  ["/a//", /empty segment/],
  ["/:id?", /optional segment/],
  ["/a?b=1", /query/],
  ["/a#b", /%23/],
  ["/:", /lacks a name/],
  ["/:1st", /"1st" is not a name/],
  ["/:a.json", /whole segment/],
  ["/:a-:b", /whole segment/],
  ["/:id(\\d+)", /whole segment/],
  ["/v:n", /whole segment.*%3A/],
  ["/a*", /whole segment.*%2A/],
  ["/*/a", /only come last/],
  ["/*rest/:id", /only come last/],
  ["/*a.b", /"a\.b" is not a name/],
  ["/**", /"\*" is not a name/],
  ["/:id/:id", /"id" is there twice/],
  ["/:id/*id", /"id" is there twice/],
  ["/100%", /%25/],
  ["/%ff", /%25/],
  ["/\ud800", /well-formed/],
  ["/a/../b", /dot segment/],
  ["/.", /dot segment/],
  ["/%2e%2E", /dot segment/],
  ["/a\\..", /dot segment/],
  ["/a%2f..", /dot segment/],
  ["/a%00", /NUL/],
];

for (const [text, message] of refused) {
  test(`Pattern refuses ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => compilePattern(text),
      (error) =>
        error instanceof ConfigError &&
        error.code === "ROUTE_PATTERN" &&
        error.message.includes(`"${text}"`) &&
        message.test(error.message),
    );
  });
}

function paramsOf(text: string, path: string): Record<string, string> {
  const params = compilePattern(text).params(path);
  assert.equal(Object.getPrototypeOf(params), null);
  return { ...params };
}

test("params takes whole segments", () => {
  assert.deepEqual(paramsOf("/a", "/a"), {});
  assert.deepEqual(paramsOf("/a/:x/b/:y", "/a/1/b/2"), { x: "1", y: "2" });
  assert.deepEqual(paramsOf("/:x", "/1/"), { x: "1" });
  assert.deepEqual(paramsOf("/:x/", "/1"), { x: "1" });
});

test("params decodes each value once", () => {
  assert.deepEqual(paramsOf("/:x/:y", "/%2541/a%2Fb"), { x: "%41", y: "a/b" });
  assert.deepEqual(paramsOf("/caf%C3%A9/:x", "/caf%c3%a9/%E2%82%AC"), { x: "€" });
});

test("params gives a wildcard the rest with its slashes, possibly nothing", () => {
  assert.deepEqual(paramsOf("/files/*", "/files"), { "*": "" });
  assert.deepEqual(paramsOf("/files/*", "/files/"), { "*": "" });
  assert.deepEqual(paramsOf("/files/*rest", "/files/a/b.css"), { rest: "a/b.css" });
  assert.deepEqual(paramsOf("/files/*rest", "/files/a/"), { rest: "a/" });
  assert.deepEqual(paramsOf("/files/*rest", "/files//a"), { rest: "/a" });
  assert.deepEqual(paramsOf("/files/*rest", "/files/a%20b/%C3%A9"), { rest: "a b/é" });
  assert.deepEqual(paramsOf("/*", "/"), { "*": "" });
});

test("params treats names of Object's members like any other", () => {
  const params = compilePattern("/:__proto__/:constructor").params("/a/b");
  assert.deepEqual(Object.entries(params), [
    ["__proto__", "a"],
    ["constructor", "b"],
  ]);
});

test("params refuses a malformed escape with 400", () => {
  assert.throws(
    () => compilePattern("/:x").params("/%zz"),
    (error) => error instanceof HttpError && error.status === 400 && error.code === "PATH_ENCODING",
  );
});

type Same<A, B> =
  (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;

test("ParamsOf reads the names from the pattern's type", () => {
  // Held by the type checker: a wrong type makes `true` unassignable.
  const held: true[] = [
    true satisfies Same<ParamsOf<"/a/:id/*rest">, { id: string; rest: string }>,
    true satisfies Same<ParamsOf<"/:a/b/:c/">, { a: string; c: string }>,
    true satisfies Same<ParamsOf<"/a/*">, { "*": string }>,
    true satisfies Same<ParamsOf<"/a">, {}>,
    true satisfies Same<ParamsOf<"/">, Record<never, string>>,
    true satisfies Same<ParamsOf<string>, Record<string, string>>,
    true satisfies Same<ParamsOf<"/:a" | "/:b">, { a: string } | { b: string }>,
  ];
  assert.equal(held.length, 7);
});
