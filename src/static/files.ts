import { realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { Reply } from "../core/reply.ts";
import type { Request } from "../core/request.ts";
import { emptyFileReply, fileReply } from "./file.ts";
import { parseFilePath } from "./file-path.ts";
import { isMissing, openRegularFile, type OpenFile } from "./open-file.ts";

/** A folder, and the path it appears under. */
export interface FilesOptions {
  /** Path under which the folder appears: starts and ends with "/". */
  readonly prefix: string;
  /** The folder. */
  readonly root: string | URL;
}

/** Answers a request with a file, or with undefined when it has none for it. */
export type FilesHandler = (request: Request) => Promise<Reply | undefined>;

/**
 * Serves the files of a folder to GET and HEAD. A folder within it gives its `index.html`, and is
 * first redirected to its path with "/"; there are no listings.
 *
 * Nothing outside the root can be named: `parseFilePath` refuses what could climb, and a symbolic
 * link is followed only as far as it stays inside. Undefined is also the answer for what may not be
 * read, so a client can't tell the two apart.
 */
export function filesHandler({ prefix, root }: FilesOptions): FilesHandler {
  const rootPath = typeof root === "string" ? root : fileURLToPath(root);
  return async (request) => {
    if (request.method !== "GET" && request.method !== "HEAD") return undefined;
    const below = pathBelow(prefix, request.path);
    const wanted = below === undefined ? undefined : parseFilePath(below);
    if (wanted === undefined) return undefined;
    const path = join(rootPath, ...wanted.segments);
    if (!wanted.folder) {
      const opened = await openInside(rootPath, path);
      if (opened !== undefined) return answer(request, path, opened);
    }
    const index = join(path, "index.html");
    const opened = await openInside(rootPath, index);
    if (opened === undefined) return undefined;
    if (wanted.folder && request.path.endsWith("/")) return answer(request, index, opened);
    await opened.handle.close();
    return redirectToFolder(request);
  };
}

/** What follows the prefix; `""` for the prefix itself, with or without its "/". */
function pathBelow(prefix: string, path: string): string | undefined {
  if (path.startsWith(prefix)) return path.slice(prefix.length);
  return path + "/" === prefix ? "" : undefined;
}

async function answer(request: Request, path: string, opened: OpenFile): Promise<Reply> {
  if (request.method !== "HEAD") return fileReply(path, opened);
  await opened.handle.close();
  return emptyFileReply(path, opened);
}

/**
 * To the same path with "/", so that relative links in the index work. It can't lead to another
 * host: a path that begins with "//" was refused, having an empty segment, unless the prefix begins
 * so.
 */
function redirectToFolder(request: Request): Reply {
  const query = request.target.indexOf("?");
  const location = request.path + "/" + (query === -1 ? "" : request.target.slice(query));
  return new Reply(null, { status: 308, headers: { location } });
}

/**
 * Opens a file whose real place is below the real root. Both are looked up anew: a deploy may move
 * the root's link.
 */
async function openInside(root: string, path: string): Promise<OpenFile | undefined> {
  let realRoot: string;
  let realPath: string;
  try {
    [realRoot, realPath] = await Promise.all([realpath(root), realpath(path)]);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const inside = realRoot.endsWith(sep) ? realRoot : realRoot + sep;
  return realPath.startsWith(inside) ? openRegularFile(realPath) : undefined;
}
