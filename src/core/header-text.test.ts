import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HeaderError, isFieldName, isFieldValue, serializeHeaderFields } from "./header-text.ts";

function code(expected: string): (error: unknown) => boolean {
  return (error) => error instanceof HeaderError && error.code === expected;
}

test("serializeHeaderFields keeps order, case and repetition", () => {
  const fields: [string, string][] = [
    ["Set-Cookie", "a=1"],
    ["x-empty", ""],
    ["set-cookie", "b=2"],
  ];
  assert.equal(
    serializeHeaderFields(fields),
    "Set-Cookie: a=1\r\nx-empty: \r\nset-cookie: b=2\r\n",
  );
  assert.equal(
    serializeHeaderFields(new Map([["a", "tab\there, \xe9"]])),
    "a: tab\there, \xe9\r\n",
  );
});

test("serializeHeaderFields refuses a name that is not a token (RFC 9110 §5.1)", () => {
  for (const name of ["", " ", "a b", "a:", "a\r\n", "é", "a\0", "(a)", "a\n", "\ud800"]) {
    assert.throws(() => serializeHeaderFields([[name, "v"]]), code("HEADER_NAME"), name);
    assert.equal(isFieldName(name), false);
  }
});

test("serializeHeaderFields refuses a value that could split the head (RFC 9110 §5.5)", () => {
  for (let unit = 0; unit < 0x300; unit += 1) {
    const character = String.fromCharCode(unit);
    const fine = unit === 9 || (unit >= 0x20 && unit <= 0xff && unit !== 0x7f);
    for (const value of [character, `a${character}b`, `${character}b`, `a${character}`]) {
      assert.equal(isFieldValue(value), fine, `U+${unit.toString(16)}`);
      if (fine) assert.equal(serializeHeaderFields([["a", value]]), `a: ${value}\r\n`);
      else assert.throws(() => serializeHeaderFields([["a", value]]), code("HEADER_VALUE"));
    }
  }
});

test("HeaderError quotes the name and never the value", () => {
  assert.throws(
    () => serializeHeaderFields([["x-token", "secret\n"]]),
    (error: Error) => error.message.includes("x-token") && !error.message.includes("secret"),
  );
});

test("serializeHeaderFields writes one line a field, whatever is given", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), fc.string({ unit: "binary" }))), (fields) => {
      let text: string;
      try {
        text = serializeHeaderFields(fields);
      } catch (error) {
        assert.ok(error instanceof HeaderError);
        return;
      }
      assert.equal(text.split("\r\n").length - 1, fields.length);
      assert.equal(text.split("\n").length - 1, fields.length);
    }),
  );
});
