/** Connection (RFC 9110 §7.6.1, RFC 9112 §9) and Expect (RFC 9110 §10.1.1). */
import { ProtocolError } from "../core/errors.ts";
import type { FieldFacts } from "./fields.ts";

/**
 * Notes the options of one Connection field. Others than the three we know name fields a proxy
 * drops: not ours.
 */
export function noteConnection(value: string, facts: FieldFacts): void {
  for (const element of value.toLowerCase().split(",")) {
    const option = trimWhitespace(element);
    if (option === "close") facts.close = true;
    else if (option === "keep-alive") facts.keepAlive = true;
    else if (option === "upgrade") facts.upgradeOption = true;
  }
}

/** Notes one Expect field. @throws ProtocolError 417 for anything but 100-continue. */
export function noteExpect(value: string, facts: FieldFacts): void {
  if (value.toLowerCase() !== "100-continue") {
    throw new ProtocolError(417, "EXPECTATION", "The only expectation met here is 100-continue");
  }
  facts.expectContinue = true;
}

/**
 * `text` without the optional whitespace around it (RFC 9110 §5.6.3). `trim()` would take U+00A0
 * too: obs-text here.
 */
export function trimWhitespace(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, "");
}
