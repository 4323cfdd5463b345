import { stringifySetCookie, type SetCookie } from "cookie";
import { MillraceError } from "./errors.ts";

/** One cookie to set, with its attributes (RFC 6265 §4.1). */
export interface CookieInit extends Omit<SetCookie, "name" | "value"> {
  readonly value: string;
}

/**
 * What a cookie has unless its attributes say otherwise: it is sent for the whole site, scripts
 * can't read it, and other sites can't make the browser send it along but by a link. Add `secure:
 * true` where the site has TLS.
 */
const defaults = { path: "/", httpOnly: true, sameSite: "lax" } as const;

/**
 * The value of the `Set-Cookie` field that sets the cookie `name`. A bare string takes the
 * defaults: `path: "/"`, `httpOnly: true`, `sameSite: "lax"`. The value is percent-encoded where it
 * must be, and `request.cookies` decodes it. Throws `MillraceError` `COOKIE` when a name or an
 * attribute can't be sent.
 */
export function setCookieText(name: string, cookie: string | CookieInit): string {
  const init = typeof cookie === "string" ? { value: cookie } : cookie;
  try {
    return stringifySetCookie({ ...defaults, ...init, name });
  } catch (cause) {
    // The package's message may hold the value, which may be a secret: name only what is wrong.
    throw new MillraceError("COOKIE", `Cannot set cookie ${JSON.stringify(name)}`, { cause });
  }
}
