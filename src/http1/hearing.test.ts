/** For the parser's tests: what a sink hears, in a form that compares. */
import { ProtocolError } from "../core/errors.ts";
import { type ParserLimits, defaultParserLimits } from "./limits.ts";
import { RequestParser } from "./parser.ts";

/**
 * One request as a sink heard it; body spans joined, since how they are cut follows how the bytes
 * came.
 */
export interface Heard {
  method: string;
  target: string;
  path: string;
  query: string;
  versionMinor: 0 | 1;
  headers: string;
  host: string;
  contentLength: number;
  chunked: boolean;
  hasBody: boolean;
  keepAlive: boolean;
  expectContinue: boolean;
  upgrade: boolean;
  body: string;
  /** Undefined until end() was called. */
  trailers: string | undefined;
}

export interface Hearing {
  readonly requests: Heard[];
  readonly error: { readonly status: number; readonly code: string } | undefined;
}

/** A parser whose requests gather in `requests`. `onEvent` may pause it. */
export function listener(
  limits: ParserLimits = defaultParserLimits,
  onEvent: (parser: RequestParser) => void = () => {},
): { parser: RequestParser; requests: Heard[] } {
  const requests: Heard[] = [];
  const parser = new RequestParser(
    {
      head(head) {
        const last = requests.at(-1);
        if (last !== undefined && last.trailers === undefined)
          throw new Error("head() before end()");
        const { method, target, path, query, versionMinor, headers, host, contentLength } = head;
        const { chunked, hasBody, keepAlive, expectContinue, upgrade } = head;
        requests.push({
          ...{ method, target, path, query, versionMinor, headers, host, contentLength },
          ...{
            chunked,
            hasBody,
            keepAlive,
            expectContinue,
            upgrade,
            body: "",
            trailers: undefined,
          },
        });
        onEvent(parser);
      },
      body(buffer, start, end) {
        const last = requests.at(-1)!;
        if (last.trailers !== undefined || end <= start) throw new Error("body() out of place");
        last.body += buffer.toString("latin1", start, end);
        onEvent(parser);
      },
      end(trailers) {
        const last = requests.at(-1)!;
        if (last.trailers !== undefined) throw new Error("end() twice");
        last.trailers = trailers;
        onEvent(parser);
      },
    },
    limits,
  );
  return { parser, requests };
}

/** Pushes `pieces`, each in a buffer that is overwritten right after, as a socket may do. */
export function hear(pieces: readonly string[], limits?: ParserLimits): Hearing {
  const { parser, requests } = listener(limits);
  try {
    for (const piece of pieces) {
      const buffer = Buffer.from(piece, "latin1");
      parser.push(buffer);
      buffer.fill(0xaa);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { requests, error: { status: error.status, code: error.code } };
  }
  return { requests, error: undefined };
}

/** `text` cut in two at every position, then octet by octet. */
export function* chunkings(text: string): Generator<string[]> {
  for (let at = 1; at < text.length; at += 1) yield [text.slice(0, at), text.slice(at)];
  yield [...text];
}
