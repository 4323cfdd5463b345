/**
 * The router against a matcher too plain to be wrong: every pattern is tried, the best by
 * precedence is taken.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ConfigError, HttpError } from "../core/errors.ts";
import { compilePattern } from "./pattern.ts";
import { Router } from "./router.ts";

interface Route {
  readonly method: string;
  /** Decoded literals, ":" for a parameter, "*" for a wildcard. */
  readonly shape: readonly Shape[];
  readonly pattern: string;
}
type Shape = { readonly literal: string } | ":" | "*";

/** Decoded segments that routes and requests share, so that they meet. */
const LITERALS = ["a", "b", "é", "a b", "a/b", "%61", "%", "\\", "...", ".a", ":x", "*"];

const literal = fc.record({ literal: fc.constantFrom(...LITERALS) });
const shape: fc.Arbitrary<readonly Shape[]> = fc
  .tuple(
    fc.array(fc.oneof({ weight: 3, arbitrary: literal }, fc.constant(":" as const)), {
      maxLength: 4,
    }),
    fc.boolean(),
  )
  .map(([segments, wild]) => (wild ? [...segments, "*" as const] : segments));

const route: fc.Arbitrary<Route> = fc
  .record({
    method: fc.constantFrom("GET", "HEAD", "POST"),
    shape,
    slash: fc.boolean(),
    escapeAll: fc.boolean(),
  })
  .map(({ method, shape, slash, escapeAll }) => ({
    method,
    shape,
    pattern: writePattern(shape, escapeAll) + (slash ? "/" : ""),
  }))
  .map((made) => ({ ...made, pattern: made.pattern === "" ? "/" : made.pattern }))
  .filter(({ pattern }) => pattern !== "//");

function writePattern(shape: readonly Shape[], escapeAll: boolean): string {
  const segments = shape.map((segment, i) => {
    if (segment === ":") return `:p${i}`;
    if (segment === "*") return i % 2 === 0 ? "*" : "*rest";
    if (escapeAll) return escapeBytes(segment.literal);
    return segment.literal.replace(/[/%:*?#]/g, escapeBytes);
  });
  return segments.map((segment) => "/" + segment).join("");
}

function escapeBytes(text: string): string {
  const bytes = [...new TextEncoder().encode(text)];
  return bytes.map((byte) => "%" + byte.toString(16).padStart(2, "0")).join("");
}

/** Segments as sent: well-formed ones in several spellings, and what must be refused. */
const sentSegment = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom("a", "b", "a%20b", "c", "x.y", "%61", "é") },
  { weight: 6, arbitrary: fc.constantFrom(...LITERALS).map((text) => encodeURIComponent(text)) },
  { weight: 6, arbitrary: fc.constantFrom(...LITERALS).map((text) => escapeBytes(text)) },
  { weight: 3, arbitrary: fc.constant("") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ..."% %zz %ff %c3 .. . %2e%2E .%2e a%2f.. ..%5cb a\\.. %00 %2500 .a ... a\\b".split(" "),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.string({ unit: fc.constantFrom(..."a.%2fFeE05cC\\"), maxLength: 8 }),
  },
);
const sentPath = fc.array(sentSegment, { maxLength: 5 }).map((parts) => "/" + parts.join("/"));

/** A path made to fit one of the routes, so that hits are common. */
function fitting(routes: readonly Route[]): fc.Arbitrary<string> {
  return fc.constantFrom(...routes).chain(({ shape }) => {
    const segments = shape.map((segment) => {
      if (segment === ":") return sentSegment;
      if (segment === "*") return sentPath.map((path) => path.slice(1));
      const { literal } = segment;
      const spellings = [encodeURIComponent(literal), escapeBytes(literal), encodeURI(literal)];
      return fc.constantFrom(...spellings, literal);
    });
    return fc.tuple(...segments).map((parts) => "/" + parts.join("/"));
  });
}

const scenario = fc.array(route, { minLength: 1, maxLength: 12 }).chain((routes) =>
  fc.record({
    routes: fc.constant(routes),
    path: fc.oneof(
      sentPath,
      fitting(routes),
      fitting(routes).map((path) => path + "/"),
    ),
    method: fc.constantFrom("GET", "HEAD", "POST", "PUT"),
  }),
);

// What is plainly so, written down.

function naiveSegments(path: string): readonly string[] | string {
  const raw = path.slice(1).split("/");
  let decoded: string[];
  try {
    decoded = raw.map((segment) => decodeURIComponent(segment));
  } catch {
    return "PATH_ENCODING";
  }
  const unsafe = (segment: string) =>
    segment.includes("\0") || segment.split(/[/\\]/).some((part) => part === "." || part === "..");
  return decoded.some(unsafe) ? "PATH_TRAVERSAL" : decoded;
}

function naiveParams(route: Route, decoded: readonly string[]): Record<string, string> | undefined {
  const segments = decoded.at(-1) === "" ? decoded.slice(0, -1) : decoded;
  const params: Record<string, string> = {};
  for (const [i, want] of route.shape.entries()) {
    if (want === "*") {
      params[i % 2 === 0 ? "*" : "rest"] = decoded.slice(i).join("/");
      return params;
    }
    const segment = segments[i];
    if (segment === undefined || segment === "") return undefined;
    if (want === ":") params[`p${i}`] = segment;
    else if (want.literal !== segment) return undefined;
  }
  return segments.length === route.shape.length ? params : undefined;
}

/** Sorts before what it goes before; a missing segment is an end. */
function rank(route: Route): string {
  const rankOf = (segment: Shape) => (segment === "*" ? "3" : segment === ":" ? "2" : "1");
  return route.shape.map(rankOf).join("") + "0";
}

function naiveFind(routes: readonly Route[], method: string, decoded: readonly string[]) {
  const methods = method === "HEAD" ? ["HEAD", "GET"] : [method];
  return routes
    .filter((route) => methods.includes(route.method) && naiveParams(route, decoded))
    .sort(
      (a, b) =>
        Number(rank(a) > rank(b)) - Number(rank(a) < rank(b)) ||
        methods.indexOf(a.method) - methods.indexOf(b.method),
    )[0];
}

function naiveAllowed(routes: readonly Route[], decoded: readonly string[]): string[] {
  const there = routes.filter((route) => naiveParams(route, decoded)).map(({ method }) => method);
  if (there.length === 0) return [];
  return [...new Set([...there, ...(there.includes("GET") ? ["HEAD"] : []), "OPTIONS"])].sort();
}

/** Adds all that do not collide, and checks that those that collide are the ones that should. */
function build(routes: readonly Route[]): { router: Router<Route>; kept: Route[] } {
  const router = new Router<Route>();
  const kept: Route[] = [];
  for (const route of routes) {
    const key = JSON.stringify([route.method, route.shape]);
    const collides = kept.some(({ method, shape }) => JSON.stringify([method, shape]) === key);
    try {
      router.add({ method: route.method, pattern: route.pattern, source: "test" }, route);
      assert.ok(!collides, `${route.pattern} should collide`);
      kept.push(route);
    } catch (error) {
      if (!(error instanceof ConfigError) || error.code !== "ROUTE_COLLISION") throw error;
      assert.ok(collides, error.message);
    }
  }
  return { router, kept };
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof HttpError && error.status === 400) return error.code;
    throw error;
  }
  return "none";
}

test("Router agrees with trying every pattern, on values, methods and params", () => {
  const seen = { hits: 0, misses: 0, refusals: 0, params: 0 };
  fc.assert(
    fc.property(scenario, ({ routes, path, method }) => {
      const { router, kept } = build(routes);
      const decoded = naiveSegments(path);
      if (typeof decoded === "string") {
        seen.refusals += 1;
        assert.equal(
          codeOf(() => router.find(method, path)),
          decoded,
        );
        assert.equal(
          codeOf(() => router.allowed(path)),
          decoded,
        );
        return;
      }
      const expected = naiveFind(kept, method, decoded);
      assert.equal(router.find(method, path), expected);
      assert.deepEqual(router.allowed(path), naiveAllowed(kept, decoded));
      if (expected === undefined) {
        seen.misses += 1;
        return;
      }
      const params = { ...compilePattern(expected.pattern).params(path) };
      assert.deepEqual(params, naiveParams(expected, decoded));
      seen.hits += 1;
      if (Object.keys(params).length > 0) seen.params += 1;
    }),
    { numRuns: 5_000 },
  );
  // A property that only ever saw one kind of outcome would prove little.
  for (const [kind, count] of Object.entries(seen)) assert.ok(count > 250, `${kind}: ${count}`);
});
