import { MillraceError } from "./errors.ts";

/**
 * A field that can't be sent: it would break, or split, the message it stands in. Codes
 * HEADER_NAME, HEADER_VALUE.
 */
export class HeaderError extends MillraceError {}

/** A field name: a token, RFC 9110 §5.1 and §5.6.2. */
const fieldName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * The first character that may not stand in a field value, RFC 9110 §5.5: all but tab, SP, VCHAR
 * and obs-text.
 */
const notInFieldValue = /[^\t\x20-\x7e\x80-\xff]/;

/** Whether `name` is a token (RFC 9110 §5.6.2), so can name a field. */
export function isFieldName(name: string): boolean {
  return fieldName.test(name);
}

/**
 * Whether `value` can be sent as a field value: no control character but tab, and nothing above
 * U+00FF.
 */
export function isFieldValue(value: string): boolean {
  return !notInFieldValue.test(value);
}

/**
 * The field lines `name: value\r\n` of `fields`, in their order and case, to be written as latin1.
 * Whatever comes out is safe to stand in a message head: no value can end its line, so none can add
 * a field or a second response.
 *
 * @throws HeaderError HEADER_NAME when a name is not a token, HEADER_VALUE when a value holds CR,
 *   LF, NUL, any other control character but tab, or a character above U+00FF. The message quotes
 *   the name, never the value.
 */
export function serializeHeaderFields(
  fields: Iterable<readonly [name: string, value: string]>,
): string {
  let text = "";
  for (const [name, value] of fields) {
    if (!fieldName.test(name)) {
      throw new HeaderError(
        "HEADER_NAME",
        `Cannot send a field named ${JSON.stringify(name)}: ` +
          "a name is letters, digits and !#$%&'*+-.^_`|~",
      );
    }
    if (notInFieldValue.test(value)) {
      throw new HeaderError(
        "HEADER_VALUE",
        `Cannot send the value given for field ${name}: ` +
          "it holds a control character or one above U+00FF",
      );
    }
    text += name + ": " + value + "\r\n";
  }
  return text;
}
