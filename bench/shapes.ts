/** What is asked of every server, and what the right answer is. */
import { HELLO, TEXT_10K, totalsOf, userOf, type Order } from "./apps/answers.ts";
import { BenchError } from "./errors.ts";
import { probe } from "./probe.ts";

/** One kind of request. */
export interface Shape {
  readonly name: string;
  /** For the report's headings. */
  readonly title: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Beside `Host`, which the load tool adds. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly expected: { readonly mediaType: string; readonly body: string };
  /** Requests sent ahead of their answers on a connection; 1 is no pipelining. */
  readonly pipelineDepth: number;
  /** Numbers of connections it is measured at. */
  readonly connections: readonly number[];
}

const order: Order = {
  orderId: "ord_2f9c41d07be84a31",
  customerId: "cus_90be1d5fa2c34477",
  lines: Array.from({ length: 10 }, (_, index) => ({
    sku: `SKU-${10_417 + index * 37}`,
    title: "Sluice gate, oak, hand cut",
    quantity: index + 1,
    unitPriceCents: 1_299 + index * 250,
  })),
};

/** Ten headers such as a browser behind a proxy sends; about 700 bytes. */
const tenHeaders: Readonly<Record<string, string>> = {
  "User-Agent":
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0",
  Accept: "application/json, text/plain, */*",
  "Accept-Language": "en-GB,en;q=0.9,de;q=0.7",
  "Accept-Encoding": "gzip, deflate, br, zstd",
  Referer: "https://shop.example.com/account/orders?page=2",
  Cookie: "session=s%3Aq1w2e3r4t5y6u7i8o9p0; theme=dark; consent=analytics%3D0%26ads%3D0",
  Authorization: "Bearer 5f1d7a84c2be4b0f9a6637e1d0c8b2a95f1d7a84c2be4b0f9a6637e1d0c8b2a9",
  "X-Forwarded-For": "203.0.113.42, 198.51.100.7",
  "X-Request-Id": "0b6f2a4e-3a35-4b8e-9d57-7c1f0f6a2c19",
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
};

const get = { method: "GET", headers: {}, body: null, pipelineDepth: 1 } as const;
const plaintext = { mediaType: "text/plain", body: HELLO };

/** Every shape, in the order it is reported. */
export const shapes: readonly Shape[] = [
  {
    ...get,
    name: "plaintext",
    title: "Plaintext: 13 bytes",
    path: "/plaintext",
    expected: plaintext,
    connections: [64, 1],
  },
  {
    ...get,
    name: "json",
    title: "JSON: route parameter, ten request headers, about 100 bytes",
    path: "/users/42",
    headers: tenHeaders,
    expected: { mediaType: "application/json", body: JSON.stringify(userOf("42")) },
    connections: [64, 1],
  },
  {
    ...get,
    name: "text10k",
    title: "Text of 10 KB",
    path: "/text",
    expected: { mediaType: "text/plain", body: TEXT_10K },
    connections: [64],
  },
  {
    name: "post",
    title: "POST of 1 KB JSON, answered with its totals",
    method: "POST",
    path: "/orders",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(order),
    expected: { mediaType: "application/json", body: JSON.stringify(totalsOf(order)) },
    pipelineDepth: 1,
    connections: [64],
  },
  {
    ...get,
    name: "pipelined",
    title: "Plaintext, 16 requests deep",
    path: "/plaintext",
    expected: plaintext,
    pipelineDepth: 16,
    connections: [64],
  },
];

/** The bytes of one request of this shape, as HTTP/1.1. */
export function requestText(shape: Shape, port: number): string {
  const lines = [`${shape.method} ${shape.path} HTTP/1.1`, `Host: 127.0.0.1:${port}`];
  for (const [name, value] of Object.entries(shape.headers)) lines.push(`${name}: ${value}`);
  if (shape.body !== null) lines.push(`Content-Length: ${Buffer.byteLength(shape.body)}`);
  return `${lines.join("\r\n")}\r\n\r\n${shape.body ?? ""}`;
}

/**
 * Asks once and compares status, media type and every byte of the body; resolves with the size of
 * the answer on the wire. Throws `BenchError` on any difference: a wrong answer is not to be timed.
 */
export async function verifyAnswer(server: string, shape: Shape, port: number): Promise<number> {
  const answer = await probe(port, requestText(shape, port));
  const mediaType = (answer.headers.get("content-type") ?? "none").split(";")[0]?.trim();
  const differences: string[] = [];
  if (answer.status !== 200) differences.push(`status ${answer.status}, want 200`);
  if (mediaType !== shape.expected.mediaType) {
    differences.push(`content-type ${mediaType}, want ${shape.expected.mediaType}`);
  }
  if (answer.body !== shape.expected.body) {
    differences.push(`body ${excerpt(answer.body)}, want ${excerpt(shape.expected.body)}`);
  }
  if (differences.length > 0) {
    const what = `${server} answers ${shape.method} ${shape.path} wrongly`;
    throw new BenchError("WRONG_ANSWER", `${what}: ${differences.join("; ")}`);
  }
  return answer.wireBytes;
}

function excerpt(text: string): string {
  return `${JSON.stringify(text.slice(0, 120))} (${text.length} bytes)`;
}
