/**
 * Whether `value` is the web's `Response`. Asked by what it is called rather than by `instanceof`,
 * because merely naming the global loads the whole fetch implementation, and because packages bring
 * their own.
 */
export function isResponse(value: unknown): value is Response {
  return (
    typeof value === "object" &&
    value !== null &&
    (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === "Response" &&
    typeof (value as Partial<Response>).arrayBuffer === "function"
  );
}

/** Whether `value` is a web stream, whoever implements it. */
export function isReadableStream(value: object): value is ReadableStream {
  return typeof (value as Partial<ReadableStream>).getReader === "function";
}

/** Whether `value` gives its items asynchronously: an async generator, a Node stream. */
export function isAsyncIterable(value: object): value is AsyncIterable<unknown> {
  return typeof (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === "function";
}

/** Whether `value` is a running iteration such as a generator; arrays, maps and sets are not. */
export function isSyncIterator(value: object): value is IterableIterator<unknown> {
  const { next, [Symbol.iterator]: iterate } = value as Partial<IterableIterator<unknown>>;
  return typeof next === "function" && typeof iterate === "function";
}
