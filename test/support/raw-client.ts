import { connect, type Socket } from "node:net";
import type { Server } from "../../src/server.ts";

/** A client that speaks bytes: sends exactly what it is told and shows exactly what came back. */
export class RawClient implements AsyncDisposable {
  readonly socket: Socket;
  #text = "";
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString("latin1");
      this.#wake?.();
    });
    for (const event of ["end", "close", "error"]) {
      socket.on(event, () => {
        this.#ended = true;
        this.#wake?.();
      });
    }
  }

  /** Connects to a server that listens. */
  static async connect(
    server: Server,
    options: { allowHalfOpen?: boolean } = {},
  ): Promise<RawClient> {
    const { address } = server;
    const where =
      "path" in address ? { path: address.path } : { port: address.port, host: "127.0.0.1" };
    const socket = connect({ ...where, ...options });
    const client = new RawClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return client;
  }

  send(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** What has come so far. */
  get text(): string {
    return this.#text;
  }

  /** Whether the server closed the connection. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Resolves with all text once it satisfies `test`; rejects when the connection ends before, or
   * after 10 s.
   */
  async until(test: (text: string) => boolean): Promise<string> {
    const deadline = AbortSignal.timeout(10_000);
    while (!test(this.#text)) {
      if (this.#ended || deadline.aborted) {
        const why = this.#ended ? "the connection ended" : "10 s went by";
        throw new Error(`${why}; received ${JSON.stringify(this.#text)}`);
      }
      await this.#change(deadline);
    }
    return this.#text;
  }

  /** Resolves with all text once the server has closed its side. */
  async untilEnd(): Promise<string> {
    const deadline = AbortSignal.timeout(10_000);
    while (!this.#ended) {
      if (deadline.aborted) throw new Error(`still open; received ${JSON.stringify(this.#text)}`);
      await this.#change(deadline);
    }
    return this.#text;
  }

  /** Sends a request and resolves with its whole answer, by Content-Length or the end of chunks. */
  async exchange(text: string): Promise<{ status: number; head: string; body: string }> {
    this.#text = "";
    this.send(text);
    const whole = await this.until(isWhole);
    const headEnd = whole.indexOf("\r\n\r\n");
    return {
      status: Number(whole.slice(9, 12)),
      head: whole.slice(0, headEnd),
      body: whole.slice(headEnd + 4),
    };
  }

  #change(deadline: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      deadline.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await Promise.resolve();
  }
}

function isWhole(text: string): boolean {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, headEnd));
  if (length !== null) return text.length >= headEnd + 4 + Number(length[1]);
  if (/\r\ntransfer-encoding: chunked/i.test(text.slice(0, headEnd)))
    return text.endsWith("0\r\n\r\n");
  return true;
}

/** A GET request for `path`, with more header lines if wanted. */
export function get(path: string, ...fields: string[]): string {
  return ["GET " + path + " HTTP/1.1", "Host: localhost", ...fields, "", ""].join("\r\n");
}

/** A POST request with a body of known length. */
export function post(path: string, body: string, ...fields: string[]): string {
  const length = `Content-Length: ${Buffer.byteLength(body, "latin1")}`;
  return [`POST ${path} HTTP/1.1`, "Host: localhost", length, ...fields, "", body].join("\r\n");
}
