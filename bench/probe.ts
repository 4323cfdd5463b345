/** One request over a raw socket: the very bytes that the load tool will send and receive. */
import { connect } from "node:net";
import { once } from "node:events";
import { BenchError } from "./errors.ts";

/** An answer, and its size on the wire. */
export interface ProbeAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** Status line, headers, framing and body. */
  readonly wireBytes: number;
}

/** Sends `requestText` to a loopback port and reads one answer. Rejects after `timeoutMs`. */
export async function probe(
  port: number,
  requestText: string,
  timeoutMs = 5_000,
): Promise<ProbeAnswer> {
  const signal = AbortSignal.timeout(timeoutMs);
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  try {
    await once(socket, "connect", { signal });
    socket.write(requestText, "latin1");
    let received = Buffer.alloc(0);
    for (;;) {
      const answer = parseAnswer(received);
      if (answer !== null) return answer;
      const [chunk] = (await Promise.race([
        once(socket, "data", { signal }),
        once(socket, "end", { signal }).then(() => [null]),
      ])) as [Buffer | null];
      if (chunk === null) throw new BenchError("PROBE_CUT", "The server closed before it answered");
      received = Buffer.concat([received, chunk]);
    }
  } finally {
    socket.on("error", () => {}); // The answer is in, or its failure is on its way up.
    socket.destroy();
  }
}

/** Null while the answer is not all there. */
function parseAnswer(received: Buffer): ProbeAnswer | null {
  const text = received.toString("latin1");
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return null;
  const [statusLine = "", ...lines] = text.slice(0, headEnd).split("\r\n");
  const headers = new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const status = Number(statusLine.split(" ")[1]);
  const rest = text.slice(headEnd + 4);
  const framed = headers.has("transfer-encoding")
    ? unchunk(rest)
    : sized(rest, Number(headers.get("content-length") ?? "0"));
  if (framed === null) return null;
  return { status, headers, body: framed.body, wireBytes: headEnd + 4 + framed.wireBytes };
}

function sized(rest: string, length: number): { body: string; wireBytes: number } | null {
  return rest.length < length ? null : { body: rest.slice(0, length), wireBytes: length };
}

/** Decodes chunked framing (RFC 9112 §7.1), without trailers. */
function unchunk(rest: string): { body: string; wireBytes: number } | null {
  let body = "";
  for (let at = 0; ;) {
    const lineEnd = rest.indexOf("\r\n", at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(rest.slice(at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (Number.isNaN(size) || rest.length < next) return null;
    if (size === 0) return { body, wireBytes: next };
    body += rest.slice(lineEnd + 2, lineEnd + 2 + size);
    at = next;
  }
}
