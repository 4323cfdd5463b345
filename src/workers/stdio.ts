import { writeSync } from "node:fs";
import { isatty } from "node:tty";
import type { Writable } from "node:stream";

/**
 * Makes what this worker prints go straight to the process's own descriptors. Node would send it
 * through the main thread, which here is the edge loop: a chatty handler would slow every
 * connection, and what was printed before a crash would be lost. The streams stay Node's own, whose
 * internals hold on to them; only where they write changes.
 */
export function printDirectly(): void {
  redirect(process.stdout, 1);
  redirect(process.stderr, 2);
}

function redirect(stream: Writable, fd: 1 | 2): void {
  const write: Writable["_write"] = (chunk: Buffer | string, encoding, done) => {
    try {
      writeAll(fd, typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk);
      done();
    } catch (error) {
      done(isClosedPipe(error) ? null : (error as Error));
    }
  };
  Object.assign(stream, { _write: write, _writev: null, fd, isTTY: isatty(fd) });
}

function writeAll(fd: number, bytes: Buffer): void {
  let offset = 0;
  while (offset < bytes.length) {
    try {
      offset += writeSync(fd, bytes, offset);
    } catch (error) {
      // A pipe that somebody set to non-blocking and that is full: wait a little for its reader.
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4));

function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EPIPE";
}
