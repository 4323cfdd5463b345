/** Status lines, RFC 9112 §4. */
import { reasonPhrase } from "../core/reason-phrase.ts";

const lines = new Map<number, string>();

/**
 * `HTTP/1.1 200 OK\r\n` for `status`; with an empty phrase after its space when the code has none
 * (RFC 9112 §4).
 *
 * @throws RangeError when `status` is no integer from 100 to 599, the only ones that mean anything
 *   (RFC 9110 §15).
 */
export function statusLine(status: number): string {
  const known = lines.get(status);
  if (known !== undefined) return known;
  if (!Number.isInteger(status) || status < 100 || status > 599) {
    throw new RangeError(`Cannot answer with status ${status}: give an integer from 100 to 599`);
  }
  const line = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`;
  lines.set(status, line);
  return line;
}
