import assert from "node:assert/strict";
import { test } from "node:test";
import { chunkings, hear } from "./hearing.test.ts";

const host = "Host: a\r\n";
const line = "GET / HTTP/1.1\r\n";
const get = line + host;
const post = "POST / HTTP/1.1\r\n" + host;
const chunked = `${post}Transfer-Encoding: chunked\r\n\r\n`;

/** Bytes, status, code; in the order of RFC 9112. */
const sections: Readonly<Record<string, readonly (readonly [string, number, string])[]>> = {
  "§2.2 line ends and empty lines": [
    ["\r\n\r\n\r\n" + get, 400, "EMPTY_LINES"],
    ["\n" + get, 400, "LINE_END"],
    ["\r" + get, 400, "LINE_END"],
    ["GET / HTTP/1.1\nHost: a\n\n", 400, "LINE_END"],
    ["GET / HTTP/1.1\rHost: a\r\n\r\n", 400, "LINE_END"],
    [`${line}Host: a\n\r\n`, 400, "LINE_END"],
    [`${get}A: b\nC: d\r\n\r\n`, 400, "LINE_END"],
    [`${get}A: b\rC: d\r\n\r\n`, 400, "LINE_END"],
    [`${get}A: b\r\r\n\r\n`, 400, "LINE_END"],
    [`${get}\n`, 400, "LINE_END"],
    [`${get}\rX\r\n`, 400, "LINE_END"],
    [" " + get, 400, "METHOD"],
  ],
  "§2.2 something other than HTTP/1": [
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP2_PREFACE"],
    ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "TLS_ON_PLAIN_PORT"],
    ["\x00\r\n", 400, "METHOD"],
  ],
  "§2.3 version": [
    [`GET / HTTP/2.0\r\n${host}\r\n`, 505, "VERSION_UNSUPPORTED"],
    [`GET / HTTP/0.9\r\n${host}\r\n`, 505, "VERSION_UNSUPPORTED"],
    [`GET / HTTP/3.1\r\n${host}\r\n`, 505, "VERSION_UNSUPPORTED"],
    [`GET / HTTP/1.10\r\n${host}\r\n`, 400, "VERSION"],
    [`GET / HTTP/1\r\n${host}\r\n`, 400, "VERSION"],
    [`GET / HTTP/1.\r\n${host}\r\n`, 400, "VERSION"],
    [`GET / http/1.1\r\n${host}\r\n`, 400, "VERSION"],
    [`GET / HTTPS/1.1\r\n${host}\r\n`, 400, "VERSION"],
    [`GET / HTTP/+1.1\r\n${host}\r\n`, 400, "VERSION"],
    [`GET / HTTP/1.1\0\r\n${host}\r\n`, 400, "VERSION"],
    ["GET /\r\n\r\n", 400, "VERSION"],
    ["GET / \r\n\r\n", 400, "VERSION"],
  ],
  "§3 request line": [
    [`GET  / HTTP/1.1\r\n${host}\r\n`, 400, "TARGET"],
    [`GET /  HTTP/1.1\r\n${host}\r\n`, 400, "VERSION"],
    [`GET / HTTP/1.1 \r\n${host}\r\n`, 400, "VERSION"],
    [`GET\t/ HTTP/1.1\r\n${host}\r\n`, 400, "METHOD"],
    [`GET /\tHTTP/1.1\r\n${host}\r\n`, 400, "TARGET"],
    [`GET / a HTTP/1.1\r\n${host}\r\n`, 400, "VERSION"],
    ["GET\r\n\r\n", 400, "LINE_END"],
    [`GET /${"a".repeat(8192)} HTTP/1.1\r\n${host}\r\n`, 414, "REQUEST_LINE_TOO_LONG"],
    [`GET /${"a".repeat(40_000)}`, 414, "REQUEST_LINE_TOO_LONG"],
  ],
  "§3.1 method": [
    [`${"A".repeat(33)} / HTTP/1.1\r\n${host}\r\n`, 501, "METHOD_TOO_LONG"],
    [`G@T / HTTP/1.1\r\n${host}\r\n`, 400, "METHOD"],
    [`GET: / HTTP/1.1\r\n${host}\r\n`, 400, "METHOD"],
    [`G\xe9T / HTTP/1.1\r\n${host}\r\n`, 400, "METHOD"],
  ],
  "§3.2 target": [
    [`GET /a#b HTTP/1.1\r\n${host}\r\n`, 400, "TARGET"],
    [`GET /\0 HTTP/1.1\r\n${host}\r\n`, 400, "TARGET"],
    [`GET /\x7f HTTP/1.1\r\n${host}\r\n`, 400, "TARGET"],
    [`GET /\xe9 HTTP/1.1\r\n${host}\r\n`, 400, "TARGET"],
    [`GET a HTTP/1.1\r\n${host}\r\n`, 400, "TARGET"],
    [`GET ?a HTTP/1.1\r\n${host}\r\n`, 400, "TARGET"],
    [`GET a:80 HTTP/1.1\r\n${host}\r\n`, 400, "TARGET"],
    [`GET * HTTP/1.1\r\n${host}\r\n`, 400, "TARGET"],
    [`OPTIONS ** HTTP/1.1\r\n${host}\r\n`, 400, "TARGET"],
    [`GET ftp://a/ HTTP/1.1\r\n${host}\r\n`, 400, "TARGET"],
    [`GET http:///a HTTP/1.1\r\n${host}\r\n`, 400, "TARGET"],
    [`GET http://:80/a HTTP/1.1\r\n${host}\r\n`, 400, "TARGET"],
    [`GET http://u:p@a/ HTTP/1.1\r\n${host}\r\n`, 400, "TARGET"],
    [`GET http:/a HTTP/1.1\r\n${host}\r\n`, 400, "TARGET"],
    [`CONNECT / HTTP/1.1\r\n${host}\r\n`, 400, "TARGET"],
    [`CONNECT a HTTP/1.1\r\n${host}\r\n`, 400, "TARGET"],
    [`CONNECT a: HTTP/1.1\r\n${host}\r\n`, 400, "TARGET"],
    [`CONNECT a:99999 HTTP/1.1\r\n${host}\r\n`, 400, "TARGET"],
    [`CONNECT http://a:80/ HTTP/1.1\r\n${host}\r\n`, 400, "TARGET"],
  ],
  "§3.2 Host": [
    [`${line}\r\n`, 400, "HOST_MISSING"],
    [`GET http://a/ HTTP/1.1\r\n\r\n`, 400, "HOST_MISSING"],
    [`${line}A: b\r\n\r\n`, 400, "HOST_MISSING"],
    [`${get}${host}\r\n`, 400, "HOST_REPEATED"],
    [`${get}hOST:\r\n\r\n`, 400, "HOST_REPEATED"],
    [`GET / HTTP/1.0\r\n${host}${host}\r\n`, 400, "HOST_REPEATED"],
    ...[
      ["a, b", "a,b", "a b", "a\tb", "u@a", "u:p@a", "a/", "a/b", "http://a", "a?b", "a#b", "a\\b"],
      [
        ":80",
        "a:b",
        "a:80:80",
        "a:65536",
        "a:123456",
        "a:-1",
        "a:+1",
        "a: 80",
        "[::1",
        "::1",
        "[]",
      ],
      [
        "[::1]a",
        "[::1]:x",
        "[1]",
        "[fe80::1%eth0]",
        "[v1.a]",
        "a]",
        "a[b",
        "%4",
        "%zz",
        "\xe9",
        '"a"',
      ],
    ]
      .flat()
      .map((value) => [`${line}Host: ${value}\r\n\r\n`, 400, "HOST_MALFORMED"] as const),
  ],
  "§5 fields": [
    [`${get}A\r\n\r\n`, 400, "HEADER_NAME"],
    [`${get}: b\r\n\r\n`, 400, "HEADER_NAME"],
    [`${get}A@: b\r\n\r\n`, 400, "HEADER_NAME"],
    [`${get}A\0: b\r\n\r\n`, 400, "HEADER_NAME"],
    [`${get}\xe9: b\r\n\r\n`, 400, "HEADER_NAME"],
    [`${get}A : b\r\n\r\n`, 400, "HEADER_SPACE"],
    [`${get}A\t: b\r\n\r\n`, 400, "HEADER_SPACE"],
    [`${get}A b: c\r\n\r\n`, 400, "HEADER_SPACE"],
    [`${get} b\r\n\r\n`, 400, "HEADER_FOLDED"],
    [`${get}A: b\r\n\tc\r\n\r\n`, 400, "HEADER_FOLDED"],
    [`${line} ${host}\r\n`, 400, "HEADER_FOLDED"],
    [`${get}A: \0\r\n\r\n`, 400, "HEADER_VALUE"],
    [`${get}A: b\x01c\r\n\r\n`, 400, "HEADER_VALUE"],
    [`${get}A: \x7f\r\n\r\n`, 400, "HEADER_VALUE"],
    [`${get}${"A: b\r\n".repeat(100)}\r\n`, 431, "HEADERS_TOO_MANY"],
    [`${get}A: ${"b".repeat(16_400)}\r\n\r\n`, 431, "HEAD_TOO_LARGE"],
    [`${get}A: ${"b".repeat(40_000)}`, 431, "HEAD_TOO_LARGE"],
    [`${get}${`A: ${"b".repeat(200)}\r\n`.repeat(90)}\r\n`, 431, "HEAD_TOO_LARGE"],
  ],
  "§6.1 Transfer-Encoding": [
    ...[
      ["gzip", 501, "TRANSFER_ENCODING_UNSUPPORTED"] as const,
      ["identity", 501, "TRANSFER_ENCODING_UNSUPPORTED"] as const,
      ["gzip, chunked", 501, "TRANSFER_ENCODING_UNSUPPORTED"] as const,
      ["xchunked", 501, "TRANSFER_ENCODING_UNSUPPORTED"] as const,
      ["gzip;q=1, chunked", 501, "TRANSFER_ENCODING_UNSUPPORTED"] as const,
      ["chunked, gzip", 400, "TRANSFER_ENCODING"] as const,
      ["chunked, chunked", 400, "TRANSFER_ENCODING"] as const,
      ["chunked\r\nTransfer-Encoding: chunked", 400, "TRANSFER_ENCODING"] as const,
      ["chunked\r\nTransfer-Encoding: identity", 400, "TRANSFER_ENCODING"] as const,
      ["chunked\r\nTransfer-Encoding:", 400, "TRANSFER_ENCODING"] as const,
      ["gzip\r\nTransfer-Encoding: chunked", 501, "TRANSFER_ENCODING_UNSUPPORTED"] as const,
      ["chunked;a=b", 400, "TRANSFER_ENCODING"] as const,
      ["", 400, "TRANSFER_ENCODING"] as const,
      [",chunked", 400, "TRANSFER_ENCODING"] as const,
      ["chunked,", 400, "TRANSFER_ENCODING"] as const,
      ['"chunked"', 400, "TRANSFER_ENCODING"] as const,
      ["chunked gzip", 400, "TRANSFER_ENCODING"] as const,
      ["\x0bchunked", 400, "HEADER_VALUE"] as const,
      ["\xa0chunked", 400, "TRANSFER_ENCODING"] as const,
      ["chunked\r\nContent-Length: 0", 400, "FRAMING_CONFLICT"] as const,
    ].map(
      ([value, status, code]) =>
        [`${post}Transfer-Encoding: ${value}\r\n\r\n`, status, code] as const,
    ),
    [`${post}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`, 400, "FRAMING_CONFLICT"],
    [`${post}Transfer-Encoding : chunked\r\n\r\n`, 400, "HEADER_SPACE"],
    [`POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n`, 400, "TRANSFER_ENCODING_HTTP10"],
  ],
  "§6.2 Content-Length": [
    ...[
      "+1",
      "-1",
      "1 1",
      "",
      "0x1",
      "1.0",
      "1e2",
      "1,1",
      "1, 1",
      "9007199254740992",
      "9".repeat(400),
    ].map((value) => [`${post}Content-Length: ${value}\r\n\r\n`, 400, "CONTENT_LENGTH"] as const),
    [`${post}Content-Length: 1\r\nContent-Length: 1\r\n\r\nx`, 400, "CONTENT_LENGTH_REPEATED"],
    [`${post}Content-Length: 1\r\nCONTENT-LENGTH: 2\r\n\r\nx`, 400, "CONTENT_LENGTH_REPEATED"],
    [`${post}Content-Length: 0\r\nContent-Length: 0\r\n\r\n`, 400, "CONTENT_LENGTH_REPEATED"],
  ],
  "§7.1 chunks": [
    ...[
      "\r\n",
      "g\r\n",
      "-1\r\n",
      "+1\r\n",
      "0x1\r\n",
      " 1\r\n",
      "1 \r\n",
      "1\n",
      "1\rx",
      "1\t;a\r\n",
    ].map((size) => [`${chunked}${size}`, 400, "CHUNK_SIZE"] as const),
    [`${chunked}fffffffffffff1\r\n`, 400, "CHUNK_SIZE"],
    [`${chunked}${"f".repeat(40)}\r\n`, 400, "CHUNK_SIZE"],
    [`${chunked}${"0".repeat(17)}\r\n`, 400, "CHUNK_SIZE"],
    [`${chunked}1\r\nxy`, 400, "CHUNK_END"],
    [`${chunked}1\r\nx\n0\r\n\r\n`, 400, "CHUNK_END"],
    [`${chunked}1\r\nx\rx`, 400, "CHUNK_END"],
    [`${chunked}1\r\nx\r\n\r\n`, 400, "CHUNK_SIZE"],
  ],
  "§7.1.1 chunk extensions": [
    [`${chunked}1;a\nx`, 400, "CHUNK_EXTENSION"],
    [`${chunked}1;a\rx`, 400, "CHUNK_SIZE"],
    [`${chunked}1;\0\r\n`, 400, "CHUNK_EXTENSION"],
    [`${chunked}1;${"a".repeat(4097)}\r\n`, 400, "CHUNK_EXTENSIONS_TOO_LARGE"],
    [`${chunked}${`1;${"a".repeat(400)}\r\nx\r\n`.repeat(11)}`, 400, "CHUNK_EXTENSIONS_TOO_LARGE"],
  ],
  "§7.1.2 trailers": [
    ...[
      "Content-Length: 1",
      "transfer-encoding: chunked",
      "HOST: a",
      "Trailer: a",
      "A: b\r\nAuthorization: c",
    ].map((field) => [`${chunked}0\r\n${field}\r\n\r\n`, 400, "TRAILER_FORBIDDEN"] as const),
    [`${chunked}0\r\nA : b\r\n\r\n`, 400, "HEADER_SPACE"],
    [`${chunked}0\r\nA: b\n\r\n`, 400, "LINE_END"],
    [`${chunked}0\r\n A: b\r\n\r\n`, 400, "HEADER_FOLDED"],
    [`${chunked}0\r\n\rx\r\n`, 400, "LINE_END"],
    [`${chunked}0\r\n${"A: b\r\n".repeat(101)}\r\n`, 431, "HEADERS_TOO_MANY"],
    [`${chunked}0\r\nA: ${"b".repeat(8192)}\r\n\r\n`, 431, "TRAILERS_TOO_LARGE"],
    [`${chunked}0\r\nA: ${"b".repeat(20_000)}`, 431, "TRAILERS_TOO_LARGE"],
  ],
  "RFC 9110 §10.1.1 Expect": [
    [`${post}Expect: 100-continued\r\nContent-Length: 1\r\n\r\n`, 417, "EXPECTATION"],
    [`${post}Expect: a\r\n\r\n`, 417, "EXPECTATION"],
    [`${post}Expect: 100-continue, 100-continue\r\n\r\n`, 417, "EXPECTATION"],
  ],
};

for (const [section, fixtures] of Object.entries(sections)) {
  for (const [sent, status, code] of fixtures) {
    const shown = JSON.stringify(
      sent.length > 120 ? `${sent.slice(0, 100)}… (${sent.length})` : sent,
    );
    test(`Parser refuses ${shown} with ${status} ${code} (${section})`, () => {
      const error = { status, code };
      assert.deepEqual(hear([sent]).error, error, "whole");
      assert.deepEqual(hear([...sent]).error, error, "octet by octet");
      assert.deepEqual(hear([`${get}\r\n${sent}`]).error, error, "behind a good request");
      if (sent.length > 1000) return;
      for (const pieces of chunkings(sent)) assert.deepEqual(hear(pieces).error, error);
    });
  }
}
