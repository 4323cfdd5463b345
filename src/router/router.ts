/** Method and path to value: an exact map in front of a trie of decoded segments. */
import { ConfigError } from "../core/errors.ts";
import { canonicalPath } from "./path.ts";
import { compilePattern, type Pattern } from "./pattern.ts";
import { createNode, entriesAt, findValue, methodsAt, valueFor } from "./trie.ts";
import type { Entry, Node } from "./trie.ts";

/** What `Router.add` is told about a route. */
export interface RouteDeclaration {
  /** Case-sensitive (RFC 9110 §9.1). */
  readonly method: string;
  /** See `Pattern`. */
  readonly pattern: string;
  /** Where it was declared, e.g. "src/app.ts:12:3"; only for messages. */
  readonly source: string;
}

/**
 * Finds the value for a method and a path.
 *
 * Where several patterns match, they are compared segment by segment from the left: a literal goes
 * before a parameter, a parameter before a wildcard, and an end before a wildcard that takes
 * nothing. The most specific pattern **that has the method** wins: a route for another method
 * shadows nothing, so with `GET /a/b` and `POST /a/:x` a `POST /a/b` gets the latter. A HEAD
 * request goes to the most specific pattern that has HEAD or GET, and there prefers HEAD.
 *
 * A trailing slash does not matter. Empty segments elsewhere match nothing but a wildcard. Paths
 * are case-sensitive.
 */
export class Router<T> {
  readonly #root: Node<T> = createNode();
  /**
   * Raw paths of routes without parameters, to the entries at their place in the trie: only a short
   * cut.
   */
  readonly #exact = new Map<string, Entry<T>[]>();

  /**
   * Adds a route. Throws ConfigError: `ROUTE_PATTERN` for a wrong pattern, `ROUTE_COLLISION` when a
   * route with the same method matches the same paths with the same precedence ("/a/:x" and
   * "/a/:y", "/a" and "/a/").
   */
  add(route: RouteDeclaration, value: T): void {
    const { method, source } = route;
    const pattern = compilePattern(route.pattern);
    const entries = entriesAt(this.#root, pattern.segments);
    const other = entries.find((entry) => entry.method === method);
    if (other !== undefined) {
      throw new ConfigError(
        "ROUTE_COLLISION",
        `Cannot add ${method} ${pattern.text} (${source}): ${other.method} ${other.pattern} ` +
          `(${other.source}) matches the same paths; remove or change one of them`,
      );
    }
    entries.push({ method, pattern: pattern.text, source, value });
    for (const path of usualSpellings(pattern)) this.#exact.set(path, entries);
  }

  /**
   * The value of the route that serves this, or undefined: then `allowed` tells 404 from 405.
   * `path` is raw, as sent, starts with "/" (else nothing is found) and has no query. Throws
   * HttpError 400 as `canonicalPath` does, also where no route would match.
   */
  find(method: string, path: string): T | undefined {
    const entries = this.#exact.get(path);
    if (entries !== undefined) {
      const value = valueFor(entries, method);
      if (value !== undefined) return value;
    }
    const canonical = canonicalPath(path);
    return canonical.startsWith("/") ? findValue(this.#root, method, canonical) : undefined;
  }

  /**
   * For a path that `find` missed: the methods of every pattern that matches it, sorted, with HEAD
   * where GET is and with OPTIONS, fit for an `Allow` field (RFC 9110 §10.2.1). Empty means that
   * nothing is there (404). Throws HttpError 400 as `find` does.
   */
  allowed(path: string): readonly string[] {
    const canonical = canonicalPath(path);
    if (!canonical.startsWith("/")) return [];
    const methods = methodsAt(this.#root, canonical);
    if (methods.size === 0) return [];
    if (methods.has("GET")) methods.add("HEAD");
    methods.add("OPTIONS");
    return [...methods].sort();
  }
}

/**
 * How clients usually send the path of a pattern without parameters: plain or as browsers escape
 * it, with and without trailing slash. Every other spelling is left to the trie.
 */
function usualSpellings(pattern: Pattern): string[] {
  let plain = "";
  for (const segment of pattern.segments) {
    // A decoded "/" or "%" reads otherwise when sent raw: the one as two segments, the other as
    // malformed.
    if (segment.kind !== "literal" || /[/%]/.test(segment.value)) return [];
    plain += "/" + segment.value;
  }
  const escaped = encodeURI(plain);
  return plain === "" ? ["/"] : [plain, plain + "/", escaped, escaped + "/"];
}
