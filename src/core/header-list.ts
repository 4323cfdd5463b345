/**
 * What header fields may be given as: an object, the web's `Headers`, or pairs of name and value.
 */
export type HeadersInit =
  Readonly<Record<string, HeaderValue>> | Iterable<readonly [name: string, value: string]>;

/** One value, or one for each line: `{ link: ["</a.css>", "</b.js>"] }`. */
export type HeaderValue = string | number | readonly string[];

/**
 * The fields of a reply, in the order in which they were set. Names are kept in lower case. What
 * can't be sent (a CR or LF, say) is refused when the reply is sent: the client then gets 500 and
 * nothing of it.
 */
export class HeaderList implements Iterable<[name: string, value: string]> {
  #fields: [name: string, value: string][] = [];

  /** @param init fields to begin with */
  constructor(init?: HeadersInit) {
    if (init === undefined) return;
    if (isIterable(init)) {
      for (const [name, value] of init) this.append(name, value);
      return;
    }
    for (const name of Object.keys(init)) this.set(name, init[name] as HeaderValue);
  }

  /** The value of field `name`, several lines joined with ", "; null when there is none. */
  get(name: string): string | null {
    const wanted = name.toLowerCase();
    let found: string | null = null;
    for (const [known, value] of this.#fields) {
      if (known === wanted) found = found === null ? value : `${found}, ${value}`;
    }
    return found;
  }

  /** The values of all `Set-Cookie` lines, which can't be joined (RFC 9110 §5.3). */
  getSetCookie(): string[] {
    return this.#fields.filter(([name]) => name === "set-cookie").map(([, value]) => value);
  }

  /** Whether field `name` is there. */
  has(name: string): boolean {
    const wanted = name.toLowerCase();
    for (const field of this.#fields) if (field[0] === wanted) return true;
    return false;
  }

  /** Sets field `name`, in place of all it had; with a list, one line for each value. */
  set(name: string, value: HeaderValue): void {
    const known = name.toLowerCase();
    if (this.has(known)) this.delete(known);
    if (typeof value === "string" || typeof value === "number") {
      this.#fields.push([known, String(value)]);
    } else {
      for (const line of value) this.#fields.push([known, String(line)]);
    }
  }

  /** Adds a line to field `name`, beside those it has. */
  append(name: string, value: string | number): void {
    this.#fields.push([name.toLowerCase(), String(value)]);
  }

  /** Takes field `name` away. */
  delete(name: string): void {
    const wanted = name.toLowerCase();
    this.#fields = this.#fields.filter((field) => field[0] !== wanted);
  }

  /** How many lines there are. */
  get size(): number {
    return this.#fields.length;
  }

  /** Every line, as it will be sent. */
  [Symbol.iterator](): ArrayIterator<[name: string, value: string]> {
    return this.#fields[Symbol.iterator]();
  }
}

function isIterable(init: HeadersInit): init is Iterable<readonly [name: string, value: string]> {
  return typeof (init as { [Symbol.iterator]?: unknown })[Symbol.iterator] === "function";
}
