/**
 * The path of a request target as sent, without its query. An absolute target (RFC 9112 §3.2.2) is
 * reduced to its path; `*` and the authority of a CONNECT stay what they are.
 */
export function pathOf(target: string): string {
  const start = pathStart(target);
  const query = target.indexOf("?", start);
  if (start === 0) return query === -1 ? target : target.slice(0, query);
  const path = target.slice(start, query === -1 ? target.length : query);
  return path === "" ? "/" : path;
}

/** The query of a request target without its "?", `""` when it has none. */
export function queryOf(target: string): string {
  const query = target.indexOf("?");
  return query === -1 ? "" : target.slice(query + 1);
}

/** The absolute URL a target stands for (RFC 9112 §3.3). */
export function urlOf(target: string, scheme: "http" | "https", host: string): string {
  if (target.charCodeAt(0) === slash) return `${scheme}://${host}${target}`;
  if (target.includes("://")) return target;
  return target === "*" ? `${scheme}://${host}` : `${scheme}://${target}`;
}

const slash = 0x2f;

/** Where the path of an absolute target begins; 0 for any other form. */
function pathStart(target: string): number {
  if (target.charCodeAt(0) === slash) return 0;
  const authority = target.indexOf("://");
  if (authority === -1) return 0;
  for (let at = authority + 3; at < target.length; at++) {
    const code = target.charCodeAt(at);
    if (code === slash || code === 0x3f) return at;
  }
  return target.length;
}
