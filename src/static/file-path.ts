/** What a request path names below a folder. */
export interface FilePath {
  /** Decoded; none of them can leave the folder they are joined to. */
  readonly segments: readonly string[];
  /** Whether it ends with "/", so asks for a folder. */
  readonly folder: boolean;
}

/**
 * Reads what follows a folder's prefix in a request path, without its leading "/". Each segment is
 * decoded once. Undefined for whatever names no file here, or could name one elsewhere:
 *
 * - empty segments (`//`), and `.` or `..`, plain or escaped
 * - names that begin with a dot, but for `.well-known` at the top (RFC 8615): `.env`, `.git`
 * - escaped slashes, backslashes and colons (Windows: separators, drives, alternate streams),
 *   control characters
 * - names that end with a dot or a space, which Windows drops: `secret.` is `secret`
 * - escapes that are malformed or not UTF-8, and bytes that should have been escaped
 */
export function parseFilePath(path: string): FilePath | undefined {
  if (path === "") return { segments: [], folder: true };
  const folder = path.endsWith("/");
  const segments: string[] = [];
  for (const part of (folder ? path.slice(0, -1) : path).split("/")) {
    const segment = decodeSegment(part);
    if (segment === undefined) return undefined;
    if (segment.startsWith(".") && (segment !== ".well-known" || segments.length > 0))
      return undefined;
    segments.push(segment);
  }
  return { segments, folder };
}

const unsafe = /[\0-\x1f\x7f/\\:]|[. ]$/;

function decodeSegment(part: string): string | undefined {
  if (part === "" || /[^\x21-\x7e]/.test(part)) return undefined;
  let segment = part;
  if (part.includes("%")) {
    try {
      segment = decodeURIComponent(part);
    } catch {
      // Malformed: it names nothing, and that is all there is to say of it.
      return undefined;
    }
  }
  return unsafe.test(segment) ? undefined : segment;
}
