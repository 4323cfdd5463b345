/**
 * The request target's rarer forms, RFC 9112 §3.2.2 to §3.2.4. The origin form is read in
 * parser.ts.
 */
import { ProtocolError } from "../core/errors.ts";
import { isAuthorityForm, isHost } from "./host.ts";

/** What a target that isn't in origin form comes to. */
export interface ReducedTarget {
  readonly path: string;
  readonly query: string;
  /** The target's own authority, which wins over Host; `undefined` when it has none ("*"). */
  readonly authority: string | undefined;
}

/**
 * Reduces a target in absolute, authority or asterisk form.
 *
 * @throws ProtocolError 400 TARGET when it is in none of these, or in one that `method` may not
 *   use.
 */
export function reduceTarget(method: string, target: string): ReducedTarget {
  if (method === "CONNECT") {
    if (!isAuthorityForm(target)) throw badTarget("CONNECT takes host:port");
    return { path: target, query: "", authority: target };
  }
  if (target === "*") {
    if (method !== "OPTIONS") throw badTarget("Only OPTIONS takes *");
    return { path: "*", query: "", authority: undefined };
  }
  const absolute = /^https?:\/\/([^/?]*)([^?]*)(\?.*)?$/i.exec(target);
  if (absolute === null) throw badTarget("A request target begins with /, http:// or https://");
  const [, authority = "", path = "", question = ""] = absolute;
  if (!isHost(authority)) throw badTarget("The target's authority is not a host with maybe a port");
  return {
    path: path === "" ? emptyPath(method, question) : path,
    query: question.slice(1),
    authority,
  };
}

/** RFC 9112 §3.2.4: OPTIONS for a URI without path and query asks about the server as a whole. */
function emptyPath(method: string, question: string): string {
  return method === "OPTIONS" && question === "" ? "*" : "/";
}

function badTarget(message: string): ProtocolError {
  return new ProtocolError(400, "TARGET", message);
}
