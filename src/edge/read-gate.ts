import type { Socket } from "node:net";
import type { RequestParser } from "../http1/parser.ts";

/** Why nothing is read from a client just now; bits. */
export const hold = { pipelineFull: 1, unsent: 2, bodyFull: 4 } as const;

/** Stops reading from a client while there is any reason to; TCP then stops the client. */
export class ReadGate {
  readonly #socket: Socket;
  readonly #parser: RequestParser;
  #holds = 0;

  constructor(socket: Socket, parser: RequestParser) {
    this.#socket = socket;
    this.#parser = parser;
  }

  get open(): boolean {
    return this.#holds === 0;
  }

  hold(reason: number): void {
    if (this.#holds === 0) {
      this.#parser.pause();
      this.#socket.pause();
    }
    this.#holds |= reason;
  }

  /** True when that was the last reason: the owner goes on reading. */
  release(reason: number): boolean {
    if ((this.#holds & reason) === 0) return false;
    this.#holds &= ~reason;
    return this.#holds === 0;
  }
}
