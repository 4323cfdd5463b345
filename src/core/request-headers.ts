/** Methods and field names are tokens (RFC 9110 §5.6.2). */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * The fields of a request, read-only, with the reading half of the web's `Headers`. Nothing is
 * parsed until something is asked for, and a lookup only searches the text: most handlers ask for
 * one field or none.
 *
 * Names are matched without regard to case. Values are as sent, one character a byte, without the
 * whitespace around them. Fields sent more than once come joined with ", " (RFC 9110 §5.3), cookies
 * with "; " (RFC 9113 §8.2.3).
 */
export class RequestHeaders implements Iterable<[name: string, value: string]> {
  readonly #text: string;
  #lowerText: string | undefined;
  #fields: Map<string, string> | undefined;

  /**
   * @internal
   * @param text checked field lines, each `name:value\r\n`, names in any case, without obsolete
   *   folding
   */
  constructor(text: string) {
    this.#text = text;
  }

  /** The value of the field called `name`, or null when it wasn't sent. */
  get(name: string): string | null {
    const wanted = name.toLowerCase();
    if (this.#fields !== undefined) return this.#fields.get(wanted) ?? null;
    let at = this.#find(wanted, 0);
    // A name that isn't a token might match across a colon or a line end.
    if (at === -1 || !token.test(wanted)) return null;
    let value = this.#valueAt(at + wanted.length + 1);
    while ((at = this.#find(wanted, at + wanted.length + 1)) !== -1) {
      value += separatorOf(wanted) + this.#valueAt(at + wanted.length + 1);
    }
    return value;
  }

  /** Whether a field called `name` was sent, be it empty. */
  has(name: string): boolean {
    return this.get(name) !== null;
  }

  /** Names in lower case, each once, in the order in which they first came. */
  keys(): MapIterator<string> {
    return this.#parse().keys();
  }

  /** Values in the order of `keys`. */
  values(): MapIterator<string> {
    return this.#parse().values();
  }

  /** Pairs of name and value in the order of `keys`. */
  entries(): MapIterator<[name: string, value: string]> {
    return this.#parse().entries();
  }

  [Symbol.iterator](): MapIterator<[name: string, value: string]> {
    return this.#parse().entries();
  }

  /** Calls `callback` for each field in the order of `keys`. */
  forEach(callback: (value: string, name: string, headers: RequestHeaders) => void): void {
    for (const [name, value] of this.#parse()) callback(value, name, this);
  }

  /**
   * Where the next line for `name`, in lower case, starts, looking from `from` on; −1 when there is
   * none.
   */
  #find(name: string, from: number): number {
    const text = (this.#lowerText ??= this.#text.toLowerCase());
    const prefix = name + ":";
    if (from === 0 && text.startsWith(prefix)) return 0;
    const at = text.indexOf("\n" + prefix, from);
    return at === -1 ? -1 : at + 1;
  }

  /** The value that starts at `start`, without the whitespace around it. */
  #valueAt(start: number): string {
    const text = this.#text;
    const lineEnd = text.indexOf("\r\n", start);
    let end = lineEnd === -1 ? text.length : lineEnd;
    // Not `trim()`: that also takes bytes such as 0xA0, which may be half of a UTF-8 character.
    while (start < end && isBlank(text.charCodeAt(start))) start++;
    while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
    return text.slice(start, end);
  }

  #parse(): Map<string, string> {
    if (this.#fields !== undefined) return this.#fields;
    const fields = new Map<string, string>();
    const text = this.#text;
    for (let at = 0; at < text.length;) {
      const lineEnd = text.indexOf("\r\n", at);
      const colon = text.indexOf(":", at);
      if (colon !== -1 && (lineEnd === -1 || colon < lineEnd)) {
        const name = text.slice(at, colon).toLowerCase();
        const value = this.#valueAt(colon + 1);
        const before = fields.get(name);
        fields.set(name, before === undefined ? value : before + separatorOf(name) + value);
      }
      at = lineEnd === -1 ? text.length : lineEnd + 2;
    }
    return (this.#fields = fields);
  }
}

function separatorOf(name: string): string {
  return name === "cookie" ? "; " : ", ";
}

/** Space or tab: what RFC 9110 §5.6.3 allows around a value. */
function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
