import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { lookup } from "mrmime";
import { wholeBytesMax } from "../core/bounds.ts";
import { HttpError } from "../core/errors.ts";
import { Reply, type ReplyInit } from "../core/reply.ts";
import { FileBody } from "./file-body.ts";
import { openRegularFile, type OpenFile } from "./open-file.ts";

/**
 * A reply with the content of a file, for a handler to return: its type by its name, its length,
 * when it was last modified. Rejects with `HttpError` 404 when there is no such file.
 *
 * `path` is taken as it is, relative to the working directory: never make it from what a client
 * sent. To offer a folder use `app.files`, which keeps clients inside. A file beyond 64 KB stays
 * open until the reply is sent; one that is made but never returned leaves it open.
 */
export async function file(path: string | URL, init?: ReplyInit): Promise<Reply> {
  const name = typeof path === "string" ? path : fileURLToPath(path);
  const opened = await openRegularFile(name);
  if (opened === undefined) throw new HttpError(404, "There is nothing at this path");
  return fileReply(name, opened, init);
}

/** The reply that sends an open file, and closes it. */
export async function fileReply(name: string, opened: OpenFile, init?: ReplyInit): Promise<Reply> {
  const answer = emptyFileReply(name, opened, init);
  const body = new FileBody(opened.handle, opened.size);
  answer.body = opened.size > wholeBytesMax ? body : await readAll(body, opened.size);
  return answer;
}

/** The same fields without the content, as HEAD wants it. The file stays as it is. */
export function emptyFileReply(name: string, opened: OpenFile, init?: ReplyInit): Reply {
  const answer = new Reply(null, init);
  const { headers } = answer;
  if (!headers.has("content-type")) headers.set("content-type", contentTypeOf(name));
  if (!headers.has("last-modified")) headers.set("last-modified", opened.modified.toUTCString());
  // A browser must not find HTML in what was declared to be something else.
  if (!headers.has("x-content-type-options")) headers.set("x-content-type-options", "nosniff");
  headers.set("content-length", opened.size);
  return answer;
}

/**
 * The media type that a file's name stands for, `application/octet-stream` when it stands for none.
 */
export function contentTypeOf(name: string): string {
  const extension = extname(name);
  const type = extension === "" ? undefined : lookup(extension);
  if (type === undefined) return "application/octet-stream";
  return type.startsWith("text/") ? `${type}; charset=utf-8` : type;
}

async function readAll(body: FileBody, size: number): Promise<Uint8Array> {
  const whole = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for await (const chunk of body) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
