import assert from "node:assert/strict";
import { test } from "node:test";
import { ResponseSerializer, UNKNOWN_LENGTH, isBodiless } from "./serializer.ts";

const date = "Sun, 06 Nov 1994 08:49:37 GMT";

function serializer(): ResponseSerializer {
  const made = new ResponseSerializer({ serverField: "millrace" });
  made.setDate(date);
  return made;
}

test("ResponseSerializer composes the common head (RFC 9112 §4, §6.2)", () => {
  const text = serializer().head(200, "content-type: text/plain\r\n", 5, true, false) + "hello";
  assert.equal(
    text,
    `HTTP/1.1 200 OK\r\nserver: millrace\r\ndate: ${date}\r\n` +
      "content-type: text/plain\r\ncontent-length: 5\r\n\r\nhello",
  );
});

test("ResponseSerializer writes lengths beyond those kept ready (RFC 9112 §6.2)", () => {
  for (const length of [0, 1, 1023, 1024, 1025, 2 ** 40]) {
    const head = serializer().head(200, "", length, true, false);
    assert.ok(head.endsWith(`\r\ncontent-length: ${length}\r\n\r\n`), String(length));
  }
});

test("ResponseSerializer says nothing of itself without a server field", () => {
  const made = new ResponseSerializer({ serverField: "" });
  assert.equal(made.head(200, "", 0, true, false), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
});

test("ResponseSerializer refuses a server field that could split the head", () => {
  assert.throws(() => new ResponseSerializer({ serverField: "a\r\nb: c" }), RangeError);
});

test("ResponseSerializer renews the date of every status (RFC 9110 §6.6.1)", () => {
  const made = serializer();
  made.head(200, "", 0, true, false);
  made.head(404, "", 0, true, false);
  made.setDate("Sun, 06 Nov 1994 08:49:38 GMT");
  for (const status of [200, 404]) {
    const head = made.head(status, "", 0, true, false);
    assert.ok(head.includes("date: Sun, 06 Nov 1994 08:49:38 GMT\r\n"));
    assert.ok(!head.includes(date));
  }
});

test("ResponseSerializer chunks what has no known length (RFC 9112 §6.1)", () => {
  const head = serializer().head(200, "", UNKNOWN_LENGTH, true, false);
  assert.ok(head.endsWith("\r\ntransfer-encoding: chunked\r\n\r\n"));
  assert.ok(!head.includes("content-length"));
});

test("ResponseSerializer never sends HTTP/1.0 a transfer coding (RFC 9112 §6.1)", () => {
  const head = serializer().head(200, "", UNKNOWN_LENGTH, false, true);
  assert.ok(head.endsWith(`date: ${date}\r\nconnection: close\r\n\r\n`));
});

test("ResponseSerializer frames no 204 and no 304 (RFC 9112 §6.1, RFC 9110 §8.6)", () => {
  for (const status of [204, 304]) {
    assert.ok(isBodiless(status));
    for (const length of [0, 5, 5000, UNKNOWN_LENGTH]) {
      const head = serializer().head(status, "", length, true, false);
      assert.ok(!/content-length|transfer-encoding/.test(head), `${status} ${length}`);
      assert.ok(head.endsWith(`date: ${date}\r\n\r\n`));
    }
  }
  assert.ok(!isBodiless(205) && !isBodiless(200) && isBodiless(101));
});

test("ResponseSerializer tells whether the connection stays (RFC 9112 §9.3)", () => {
  const connectionOf = (keepAlive: boolean, oldProtocol: boolean): string | undefined =>
    /\r\nconnection: (.*)\r\n/.exec(serializer().head(200, "", 3, keepAlive, oldProtocol))?.[1];
  assert.equal(connectionOf(true, false), undefined);
  assert.equal(connectionOf(false, false), "close");
  assert.equal(connectionOf(true, true), "keep-alive");
  assert.equal(connectionOf(false, true), "close");
});

test("ResponseSerializer composes interim responses without framing (RFC 9110 §15.2)", () => {
  const made = serializer();
  assert.equal(made.interim(100), "HTTP/1.1 100 Continue\r\n\r\n");
  assert.equal(
    made.interim(101, "upgrade: websocket\r\nconnection: upgrade\r\n"),
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
  );
});

test("ResponseSerializer refuses what is no status (RFC 9110 §15)", () => {
  for (const status of [0, 99, 600, 200.5, NaN, -1]) {
    assert.throws(() => serializer().head(status, "", 0, true, false), RangeError, String(status));
  }
});
