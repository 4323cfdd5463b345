import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";

/** A regular file, open for reading, with what its handle says of it. */
export interface OpenFile {
  readonly handle: FileHandle;
  /** In bytes. */
  readonly size: number;
  readonly modified: Date;
}

// A pipe would otherwise keep one of the few file threads waiting for its writer. Windows knows no
// such flag.
const readOnly = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Opens a regular file; undefined when there is none that may be read. Throws for any other trouble
 * (EMFILE, EIO).
 */
export async function openRegularFile(path: string): Promise<OpenFile | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, readOnly);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  let kept = false;
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) return undefined;
    kept = true;
    return { handle, size: stats.size, modified: stats.mtime };
  } finally {
    if (!kept) await handle.close();
  }
}

/** Whether an error of the file system means that a client may be told "not found". */
export function isMissing(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && missing.has(code);
}

/**
 * Not there, no name a file can have, not ours to read, or no regular file at all (a socket gives
 * ENXIO).
 */
const missing: ReadonlySet<string> = new Set([
  "EACCES",
  "EISDIR",
  "EINVAL",
  "ELOOP",
  "ENAMETOOLONG",
  "ENODEV",
  "ENOENT",
  "ENOTDIR",
  "ENXIO",
  "EPERM",
]);
