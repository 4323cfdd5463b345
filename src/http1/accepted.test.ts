import assert from "node:assert/strict";
import { test } from "node:test";
import { type Heard, chunkings, hear } from "./hearing.test.ts";

interface Accepted {
  readonly name: string;
  readonly sent: string;
  /** What the parser must say of it; what is not given here isn't looked at. */
  readonly heard: Partial<Heard>;
}

const host = "Host: a.example\r\n";

/** In the order of RFC 9112. */
const fixtures: readonly Accepted[] = [
  {
    name: "one empty line before the request line (§2.2)",
    sent: `\r\nGET / HTTP/1.1\r\n${host}\r\n`,
    heard: { method: "GET" },
  },
  {
    name: "two empty lines before the request line (§2.2)",
    sent: `\r\n\r\nGET / HTTP/1.1\r\n${host}\r\n`,
    heard: { method: "GET" },
  },
  {
    name: "HTTP/1.0 (§2.3)",
    sent: "GET / HTTP/1.0\r\n\r\n",
    heard: { versionMinor: 0, headers: "", host: "", keepAlive: false },
  },
  {
    name: "a higher minor version as 1.1 (§2.3)",
    sent: `GET / HTTP/1.7\r\n${host}\r\n`,
    heard: { versionMinor: 1, keepAlive: true },
  },
  ...[
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "PROPFIND",
    "get",
    "A",
    "GET2",
  ].map((method): Accepted => ({
    name: `method ${method}, case kept (§3.1)`,
    sent: `${method} / HTTP/1.1\r\n${host}\r\n`,
    heard: { method },
  })),
  {
    name: "a method of 32 bytes made of every kind of token character (§3.1)",
    sent: `!#$%&'*+-.^_\`|~09azAZabcdefghijk / HTTP/1.1\r\n${host}\r\n`,
    heard: { method: "!#$%&'*+-.^_`|~09azAZabcdefghijk" },
  },
  {
    name: "origin form (§3.2.1)",
    sent: `GET /a/b HTTP/1.1\r\n${host}\r\n`,
    heard: { target: "/a/b", path: "/a/b", query: "", host: "a.example" },
  },
  {
    name: "origin form with a query that holds ? (§3.2.1)",
    sent: `GET /a?b=c?d HTTP/1.1\r\n${host}\r\n`,
    heard: { target: "/a?b=c?d", path: "/a", query: "b=c?d" },
  },
  {
    name: "origin form with an empty query, two slashes, brackets (§3.2.1)",
    sent: `GET //x/[]{}|\\"? HTTP/1.1\r\n${host}\r\n`,
    heard: { path: '//x/[]{}|\\"', query: "" },
  },
  {
    name: "absolute form, whose authority wins over Host (§3.2.2)",
    sent: `GET HTTP://b.example:81/c?d HTTP/1.1\r\n${host}\r\n`,
    heard: { target: "HTTP://b.example:81/c?d", path: "/c", query: "d", host: "b.example:81" },
  },
  {
    name: "absolute form without a path (§3.2.2)",
    sent: `GET https://b.example?d HTTP/1.1\r\n${host}\r\n`,
    heard: { path: "/", query: "d", host: "b.example" },
  },
  {
    name: "authority form (§3.2.3)",
    sent: `CONNECT b.example:443 HTTP/1.1\r\n${host}\r\n`,
    heard: { method: "CONNECT", path: "b.example:443", query: "", host: "b.example:443" },
  },
  {
    name: "asterisk form (§3.2.4)",
    sent: `OPTIONS * HTTP/1.1\r\n${host}\r\n`,
    heard: { path: "*", host: "a.example" },
  },
  {
    name: "OPTIONS for a URI without path (§3.2.4)",
    sent: `OPTIONS http://b.example HTTP/1.1\r\n${host}\r\n`,
    heard: { path: "*", host: "b.example" },
  },
  ...[
    "",
    "a",
    "A.Example",
    "a.example:8080",
    "a:",
    "a:65535",
    "127.0.0.1:80",
    "[::1]",
    "[2001:db8::1]:443",
    "[::ffff:1.2.3.4]:1",
    "a_b~c",
    "%41b",
    "a;b=c",
    "xn--bcher-kva.example.",
  ].map((value): Accepted => ({
    name: `Host "${value}" (§3.2)`,
    sent: `GET / HTTP/1.1\r\nhOsT: ${value}\r\n\r\n`,
    heard: { host: value },
  })),
  {
    name: "fields as sent: whitespace around values, empty values, obs-text (§5)",
    sent: `GET / HTTP/1.1\r\nA:b\r\nC: \t d e \t\r\nF:\r\nG:   \r\nH: \xe9\xff\r\nhost:\t a \r\n\r\n`,
    heard: {
      headers: "A:b\r\nC: \t d e \t\r\nF:\r\nG:   \r\nH: \xe9\xff\r\nhost:\t a \r\n",
      host: "a",
    },
  },
  {
    name: "fields whose names are as long as known ones (§5.1)",
    sent: `GET / HTTP/1.1\r\n${host}Hest: b\r\nEspect: c\r\nUpgrabe: d\r\nConnectiom: close\r\nContent-Lengtg: 9\r\nTransfer_Encoding: x\r\nT-ansfer-Encoding: x\r\n\r\n`,
    heard: { host: "a.example", hasBody: false, keepAlive: true },
  },
  {
    name: "chunked, in any case, before Content-Length is thought of (§6.1)",
    sent: `POST / HTTP/1.1\r\n${host}Transfer-Encoding: \tChunKed \r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    heard: { chunked: true, contentLength: -1, hasBody: true, body: "hello", trailers: "" },
  },
  {
    name: "Content-Length (§6.2)",
    sent: `POST / HTTP/1.1\r\n${host}content-length:  0005 \r\n\r\nhello`,
    heard: { contentLength: 5, chunked: false, hasBody: true, body: "hello" },
  },
  {
    name: "Content-Length 0 (§6.2)",
    sent: `POST / HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`,
    heard: { contentLength: 0, hasBody: false, body: "" },
  },
  {
    name: "a body with GET, made of what looks like a request (§6.3)",
    sent: `GET / HTTP/1.1\r\n${host}Content-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n`,
    heard: { body: "GET / HTTP/1.1\r\n\r\n" },
  },
  {
    name: "chunks of any case and with leading zeros (§7.1)",
    sent: `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n001\r\na\r\nA\r\n0123456789\r\na\r\n0123456789\r\n000\r\n\r\n`,
    heard: { body: "a01234567890123456789" },
  },
  {
    name: "chunk data that looks like framing (§7.1)",
    sent: `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n`,
    heard: { body: "\r\n0\r\n\r\n" },
  },
  {
    name: "chunk extensions (§7.1.1)",
    sent: `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n1;a\r\nx\r\n1;b="c;\t\xe9" ; d\r\ny\r\n0;e=f\r\n\r\n`,
    heard: { body: "xy" },
  },
  {
    name: "trailers (§7.1.2)",
    sent: `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nDigest: a\r\nB:\r\n\r\n`,
    heard: { body: "x", trailers: "Digest: a\r\nB:\r\n" },
  },
  ...(
    [
      ["1.1", "", true],
      ["1.1", "Connection: close\r\n", false],
      ["1.1", "Connection: foo ,\tCLOSE,\r\n", false],
      ["1.1", "Connection: keep-alive\r\nconnection: Close\r\n", false],
      ["1.1", "Connection: closed\r\n", true],
      ["1.1", "Connection: \xa0close\r\n", true],
      ["1.0", "Connection: keep-alive\r\n", true],
      ["1.0", "Connection: Keep-Alive\r\n", true],
      ["1.0", "Connection:keep-alive\r\n", true],
      ["1.0", "Connection: keep-alive, close\r\n", false],
      ["1.0", "Connection: keep-alives\r\n", false],
    ] as const
  ).map(([version, fields, keepAlive]): Accepted => ({
    name: `persistence of ${version} with ${JSON.stringify(fields)} (§9.3)`,
    sent: `GET / HTTP/${version}\r\n${host}${fields}\r\n`,
    heard: { keepAlive },
  })),
  ...(
    [
      ["1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n", true],
      ["1.1", "upgrade: websocket\r\nconnection: keep-alive, upgrade\r\n", true],
      ["1.1", "Connection: Upgrade\r\n", false],
      ["1.1", "Upgrade: websocket\r\n", false],
      ["1.0", "Connection: Upgrade\r\nUpgrade: websocket\r\n", false],
    ] as const
  ).map(([version, fields, upgrade]): Accepted => ({
    name: `upgrade of ${version} with ${JSON.stringify(fields)} (RFC 9110 §7.8)`,
    sent: `GET / HTTP/${version}\r\n${host}${fields}\r\n`,
    heard: { upgrade, headers: host + fields },
  })),
  ...(
    [
      ["1.1", "Content-Length: 1\r\n\r\nx", true],
      ["1.1", "Content-Length: 0\r\n\r\n", false],
      ["1.1", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", true],
      ["1.0", "Content-Length: 1\r\n\r\nx", false],
    ] as const
  ).map(([version, rest, expectContinue]): Accepted => ({
    name: `Expect in ${version} before ${JSON.stringify(rest)} (RFC 9110 §10.1.1)`,
    sent: `POST / HTTP/${version}\r\n${host}Expect: 100-Continue\r\n${rest}`,
    heard: { expectContinue },
  })),
];

for (const { name, sent, heard } of fixtures) {
  test(`Parser accepts ${name}`, () => {
    const whole = hear([sent]);
    assert.equal(whole.error, undefined);
    assert.equal(whole.requests.length, 1);
    const [request] = whole.requests;
    for (const [key, value] of Object.entries(heard)) {
      assert.deepEqual({ [key]: request![key as keyof Heard] }, { [key]: value });
    }
    for (const pieces of chunkings(sent)) assert.deepEqual(hear(pieces), whole);
    for (const times of [2, 3]) {
      const expected = { ...whole, requests: Array.from({ length: times }, () => request) };
      for (const pieces of chunkings(sent.repeat(times))) assert.deepEqual(hear(pieces), expected);
    }
  });
}

test("Parser tells requests apart when they differ a little or a lot (RFC 9112 §9.3.2)", () => {
  const all = fixtures.flatMap(({ sent }, index) => [
    sent,
    fixtures[(index * 7) % fixtures.length]!.sent,
  ]);
  const alone = all.map((sent) => hear([sent]).requests[0]);
  assert.deepEqual(hear([all.join("")]).requests, alone);
  assert.deepEqual(hear([...all.join("")]).requests, alone);
});

test("Parser reads fields anew unless they are the same octets and the same version", () => {
  const same = "Host: a.example\r\nX-A: b\r\n";
  const sent = [
    `GET /1 HTTP/1.1\r\n${same}\r\n`,
    `POST /2?q HTTP/1.1\r\n${same}\r\n`,
    `GET /3 HTTP/1.0\r\n${same}\r\n`,
    `GET /4 HTTP/1.1\r\nHost: b.example\r\nX-A: b\r\n\r\n`,
    `GET http://c/5 HTTP/1.1\r\n${same}\r\n`,
    `GET /6 HTTP/1.1\r\n${same}\r\n`,
    `GET /7 HTTP/1.1\r\n${same}X-B: c\r\n\r\n`,
  ];
  const { requests } = hear([sent.join("")]);
  assert.deepEqual(
    requests.map(({ method, path, query, host: of, keepAlive }) => [
      method,
      path,
      query,
      of,
      keepAlive,
    ]),
    [
      ["GET", "/1", "", "a.example", true],
      ["POST", "/2", "q", "a.example", true],
      ["GET", "/3", "", "a.example", false],
      ["GET", "/4", "", "b.example", true],
      ["GET", "/5", "", "c", true],
      ["GET", "/6", "", "a.example", true],
      ["GET", "/7", "", "a.example", true],
    ],
  );
});
