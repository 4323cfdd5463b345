/** The tree of decoded segments behind the router, and the two walks through it. */
import { SLASH_IN_SEGMENT } from "./path.ts";
import type { PatternSegment } from "./pattern.ts";

/** A route at its place; those of one place differ by method. */
export interface Entry<T> {
  readonly method: string;
  readonly pattern: string;
  readonly source: string;
  readonly value: T;
}

/** Where a walk stands after some segments. */
export interface Node<T> {
  /** Routes that end here. */
  readonly entries: Entry<T>[];
  readonly literals: LiteralChild<T>[];
  /** The same as `literals`, once they are more than `SCANNED_MAX`. */
  literalMap: Map<string, Node<T>> | undefined;
  param: Node<T> | undefined;
  /** Routes that take whatever follows, also nothing. */
  wildcard: Entry<T>[] | undefined;
}

interface LiteralChild<T> {
  readonly key: string;
  readonly node: Node<T>;
}

/**
 * So many literals are compared one by one: no slice and no hash of it, 15 % off a path with
 * parameters.
 */
const SCANNED_MAX = 8;

/** A node with nothing below it. */
export function createNode<T>(): Node<T> {
  return {
    entries: [],
    literals: [],
    literalMap: undefined,
    param: undefined,
    wildcard: undefined,
  };
}

/**
 * The entries at the place these segments lead to, made on the way if need be. The caller adds to
 * them.
 */
export function entriesAt<T>(root: Node<T>, segments: readonly PatternSegment[]): Entry<T>[] {
  let node = root;
  for (const segment of segments) {
    switch (segment.kind) {
      case "literal":
        node = ensureLiteral(node, segment.value.replaceAll("/", SLASH_IN_SEGMENT));
        break;
      case "param":
        node = node.param ??= createNode();
        break;
      case "wildcard":
        return (node.wildcard ??= []);
    }
  }
  return node.entries;
}

/**
 * The value for the method among the routes of one place; a HEAD without a route of its own takes
 * GET's.
 */
export function valueFor<T>(entries: readonly Entry<T>[], method: string): T | undefined {
  // A place has one to three methods: a scan beats a Map, and most often ends at the first.
  for (const entry of entries) if (entry.method === method) return entry.value;
  return method === "HEAD" ? valueFor(entries, "GET") : undefined;
}

/**
 * The most specific route with this method for a canonical path (see `canonicalPath`) that starts
 * with "/". A node is visited at most once, so a walk is bounded by the routes, not by the path,
 * and as deep as the longest pattern.
 */
export function findValue<T>(root: Node<T>, method: string, path: string): T | undefined {
  return findBelow(root, method, path, 1, endOf(path));
}

/** The methods of every route that matches the canonical path. */
export function methodsAt<T>(root: Node<T>, path: string): Set<string> {
  const methods = new Set<string>();
  collectBelow(root, methods, path, 1, endOf(path));
  return methods;
}

/** `start` is where the next segment begins; past `end` there is none. */
function findBelow<T>(
  node: Node<T>,
  method: string,
  path: string,
  start: number,
  end: number,
): T | undefined {
  if (start > end) {
    const value = valueFor(node.entries, method);
    if (value !== undefined) return value;
  } else {
    const stop = segmentEnd(path, start);
    const literal = literalAt(node, path, start, stop);
    if (literal !== undefined) {
      const value = findBelow(literal, method, path, stop + 1, end);
      if (value !== undefined) return value;
    }
    if (node.param !== undefined && stop > start) {
      const value = findBelow(node.param, method, path, stop + 1, end);
      if (value !== undefined) return value;
    }
  }
  return node.wildcard === undefined ? undefined : valueFor(node.wildcard, method);
}

/** As `findBelow`, but goes every way and notes the methods. */
function collectBelow<T>(
  node: Node<T>,
  methods: Set<string>,
  path: string,
  start: number,
  end: number,
): void {
  for (const entry of node.wildcard ?? []) methods.add(entry.method);
  if (start > end) {
    for (const entry of node.entries) methods.add(entry.method);
    return;
  }
  const stop = segmentEnd(path, start);
  const literal = literalAt(node, path, start, stop);
  if (literal !== undefined) collectBelow(literal, methods, path, stop + 1, end);
  if (node.param !== undefined && stop > start) {
    collectBelow(node.param, methods, path, stop + 1, end);
  }
}

function literalAt<T>(
  node: Node<T>,
  path: string,
  start: number,
  stop: number,
): Node<T> | undefined {
  if (node.literalMap !== undefined) return node.literalMap.get(path.slice(start, stop));
  for (const { key, node: child } of node.literals) {
    if (key.length === stop - start && path.startsWith(key, start)) {
      return child;
    }
  }
  return undefined;
}

function ensureLiteral<T>(parent: Node<T>, key: string): Node<T> {
  const known = parent.literals.find((literal) => literal.key === key);
  if (known !== undefined) return known.node;
  const node = createNode<T>();
  parent.literals.push({ key, node });
  parent.literalMap?.set(key, node);
  if (parent.literalMap === undefined && parent.literals.length > SCANNED_MAX) {
    parent.literalMap = new Map(parent.literals.map((literal) => [literal.key, literal.node]));
  }
  return node;
}

const SLASH = 0x2f;

/** Where the last segment ends: one trailing slash is not part of it. */
function endOf(path: string): number {
  const last = path.length - 1;
  return path.charCodeAt(last) === SLASH ? last : path.length;
}

function segmentEnd(path: string, start: number): number {
  const slash = path.indexOf("/", start);
  return slash === -1 ? path.length : slash;
}
