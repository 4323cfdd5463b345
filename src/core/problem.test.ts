import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpError } from "./errors.ts";
import { acceptsJson, errorReply, missReply, problem, problemAnswer } from "./problem.ts";
import { Request } from "./request.ts";

const requestOf = (method: string, accept?: string, target = "/"): Request =>
  new Request(method, target, accept === undefined ? "" : `accept: ${accept}\r\n`, "::1", null, "");

test("acceptsJson tells clients that read JSON from those that read text (RFC 9110 §12.5.1)", () => {
  const cases: [accept: string | null, json: boolean][] = [
    [null, true],
    ["", true],
    ["*/*", true],
    ["application/json", true],
    ["text/html, Application/Problem+JSON;q=0.1", true],
    ["application/*", true],
    ["image/png, */*;q=0.5", true],
    ["text/html,application/xhtml+xml,*/*;q=0.8", false],
    ["text/plain, */*", false],
    ["text/html;q=0, */*", true],
    ["application/json;q=0", false],
    ["application/json; q=0.000, text/plain", false],
    ["text/html", false],
    ["image/png", false],
  ];
  for (const [accept, json] of cases) assert.equal(acceptsJson(accept), json, String(accept));
});

test("problemAnswer writes problem details (RFC 9457 §3) or text, as bytes", () => {
  const json = problemAnswer(413, "größer", null);
  assert.equal(json.headerText, "content-type: application/problem+json\r\n");
  assert.deepEqual(JSON.parse(Buffer.from(json.body, "latin1").toString()), {
    type: "about:blank",
    title: "Content Too Large",
    status: 413,
    detail: "größer",
  });
  const text = problemAnswer(404, "", "text/html");
  assert.deepEqual(text, {
    headerText: "content-type: text/plain; charset=utf-8\r\n",
    body: "404 Not Found\n",
  });
  assert.equal(problemAnswer(503, "Busy", "text/html").body, "503 Service Unavailable\nBusy\n");
});

test("errorReply tells nothing of an error that isn't meant for the client", () => {
  for (const accept of [undefined, "text/html"]) {
    const answer = errorReply(new Error("secret"), requestOf("GET", accept));
    assert.equal(answer.status, 500);
    assert.doesNotMatch(String(answer.body), /secret/);
  }
  const told = errorReply(
    new HttpError(409, "Edited since", { cause: "secret" }),
    requestOf("PUT"),
  );
  assert.equal(JSON.parse(String(told.body)).detail, "Edited since");
});

test("missReply answers 404, 405 with Allow, and OPTIONS", () => {
  const allowed = ["GET", "HEAD", "OPTIONS"];
  assert.equal(missReply(requestOf("GET"), []).status, 404);
  assert.equal(missReply(requestOf("OPTIONS"), []).status, 404);
  const refused = missReply(requestOf("POST"), allowed);
  assert.deepEqual([refused.status, refused.headers.get("allow")], [405, "GET, HEAD, OPTIONS"]);
  const options = missReply(requestOf("OPTIONS"), allowed);
  assert.deepEqual(
    [options.status, options.body, options.headers.get("allow")],
    [204, null, "GET, HEAD, OPTIONS"],
  );
  assert.equal(missReply(requestOf("OPTIONS", undefined, "*"), []).status, 204);
});

test("problem makes a reply with fields of its own", () => {
  const answer = problem(429, "Slow down", { "retry-after": 5 });
  assert.equal(answer.headers.get("retry-after"), "5");
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
});
