/** Route patterns: their syntax, what they capture, and the type of what they capture. */
import { ConfigError } from "../core/errors.ts";
import { decodeText, isRefusedSegment } from "./path.ts";

/** One segment of a pattern. A literal is held decoded; a wildcard without a name is called "*". */
export type PatternSegment =
  | { readonly kind: "literal"; readonly value: string }
  | { readonly kind: "param"; readonly name: string }
  | { readonly kind: "wildcard"; readonly name: string };

/**
 * A compiled route pattern.
 *
 * Segments are literals ("/users"), parameters that take one whole, non-empty segment ("/:id") or,
 * last only, a wildcard that takes the rest of the path, possibly nothing ("/*" or "/*rest"). A
 * trailing slash means nothing. Literals are written decoded ("/café") or percent-encoded
 * ("/caf%C3%A9"); a literal ":" or "*" is written %3A or %2A.
 */
export interface Pattern {
  /** As declared. */
  readonly text: string;
  readonly segments: readonly PatternSegment[];
  /** Parameter names in order; a bare wildcard is "*". */
  readonly names: readonly string[];
  /**
   * What `path` (raw, as sent, without query, known to match) gives each name: a new object without
   * prototype. Each value is percent-decoded once, so it may hold "/" (from %2F) or "%". A
   * wildcard's value keeps the path's slashes, also a trailing one and empty segments: "/files/*"
   * gives "a/" for "/files/a/", and "/etc" for "/files//etc" or "/files/%2Fetc". So join it below a
   * root, never resolve it against one. Throws HttpError 400 `PATH_ENCODING` only if the path was
   * never checked by a router.
   */
  params(path: string): Record<string, string>;
}

/**
 * The parameters a pattern captures, as a type: "/a/:id/*rest" gives `{ id: string; rest: string
 * }`, a bare wildcard `{ "*": string }`, none `{}`, and a pattern known only as `string` gives
 * `Record<string, string>`.
 */
export type ParamsOf<P extends string> = P extends unknown
  ? { [Name in NamesOf<P>]: string }
  : never;

type NamesOf<P extends string> = string extends P
  ? string
  : P extends `${infer Segment}/${infer Rest}`
    ? NameOf<Segment> | NamesOf<Rest>
    : NameOf<P>;

type NameOf<S extends string> = S extends `:${infer Name}`
  ? Name
  : S extends "*"
    ? "*"
    : S extends `*${infer Name}`
      ? Name
      : never;

const IDENTIFIER = /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u;

/**
 * Reads a pattern. Throws ConfigError `ROUTE_PATTERN`, saying what is wrong and what to write
 * instead.
 */
export function compilePattern(text: string): Pattern {
  if (!text.startsWith("/")) throw wrong(text, `start it with "/"`);
  const unfit = /[?#]/.exec(text)?.[0];
  if (unfit !== undefined) {
    throw wrong(
      text,
      unfit === "?"
        ? `"?" begins a query, which routes do not see; for an optional segment declare two routes`
        : `"#" begins a fragment, which is never sent; for a literal "#" write %23`,
    );
  }
  const parts = text.slice(1).split("/");
  if (parts.at(-1) === "") parts.pop();
  const segments = parts.map((part, i) => readSegment(text, part, i === parts.length - 1));
  const names = segments.flatMap((segment) => (segment.kind === "literal" ? [] : [segment.name]));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw wrong(text, `"${twice}" is there twice; give each a name of its own`);
  return { text, segments, names, params: (path) => captureParams(segments, path) };
}

function readSegment(text: string, part: string, last: boolean): PatternSegment {
  if (part === "") throw wrong(text, `it has an empty segment ("//"); take out the extra "/"`);
  if (part.startsWith(":")) {
    return { kind: "param", name: readName(text, part) };
  }
  if (part.startsWith("*")) {
    if (!last) throw wrong(text, `"${part}" takes the rest of the path, so it can only come last`);
    return { kind: "wildcard", name: part === "*" ? "*" : readName(text, part) };
  }
  return { kind: "literal", value: readLiteral(text, part) };
}

function readName(text: string, part: string): string {
  const name = part.slice(1);
  if (IDENTIFIER.test(name)) return name;
  if (name === "") throw wrong(text, `":" lacks a name; write ":id", or %3A for a literal colon`);
  throw wrong(
    text,
    `"${name}" is not a name; a parameter takes a whole segment and is called by an identifier, ` +
      `as in ":id", so match all of it and take it apart in the handler`,
  );
}

function readLiteral(text: string, part: string): string {
  const marker = /[:*]/.exec(part)?.[0];
  if (marker !== undefined) {
    throw wrong(
      text,
      `"${part}" has "${marker}" inside, but a parameter takes a whole segment; ` +
        `for a literal "${marker}" write ${marker === ":" ? "%3A" : "%2A"}`,
    );
  }
  if (!part.isWellFormed()) throw wrong(text, `"${part}" is not well-formed Unicode`);
  const value = decodeLiteral(text, part);
  if (isRefusedSegment(value)) {
    throw wrong(text, `"${part}" holds a dot segment or a NUL; such requests are always refused`);
  }
  return value;
}

function decodeLiteral(text: string, part: string): string {
  try {
    return decodeText(part);
  } catch (cause) {
    const problem = `"${part}" has a malformed percent escape; for a literal "%" write %25`;
    throw wrong(text, problem, cause);
  }
}

function wrong(text: string, problem: string, cause?: unknown): ConfigError {
  const message = `Cannot use the route pattern "${text}": ${problem}`;
  return new ConfigError("ROUTE_PATTERN", message, cause === undefined ? {} : { cause });
}

function captureParams(segments: readonly PatternSegment[], path: string): Record<string, string> {
  const params = { __proto__: null } as unknown as Record<string, string>;
  const encoded = path.includes("%");
  let start = 1;
  for (const segment of segments) {
    const slash = segment.kind === "wildcard" ? -1 : path.indexOf("/", start);
    const end = slash === -1 ? path.length : slash;
    if (segment.kind !== "literal") {
      const raw = path.slice(start, end);
      params[segment.name] = encoded ? decodeText(raw) : raw;
    }
    start = end + 1;
  }
  return params;
}
