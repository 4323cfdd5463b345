import { lstat, unlink } from "node:fs/promises";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { MillraceError } from "../core/errors.ts";
import { describeAddress, type ListenAddress } from "./address.ts";

/** Where to listen, how, and who takes the connections. */
export interface ListenerOptions {
  readonly address: ListenAddress;
  /** Connections the system may hold for us before we accept them. */
  readonly backlog: number;
  readonly onConnection: (socket: Socket) => void;
}

/**
 * Accepts connections. `localhost` means both loopback addresses, on one port; `::` means IPv6 and
 * IPv4 (dual stack).
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #servers: Server[] = [];
  #address: ListenAddress;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#address = options.address;
  }

  /** Where it listens; once started, with the real port. */
  get address(): ListenAddress {
    return this.#address;
  }

  /** @throws MillraceError `LISTEN` when the address is taken, not ours or not allowed */
  async start(): Promise<void> {
    const { address } = this.#options;
    try {
      if ("path" in address) await this.#listenUnix(address.path);
      else if (address.host === "localhost") await this.#listenLoopback(address.port);
      else this.#address = { host: address.host, port: await this.#listen({ ...address }) };
    } catch (cause) {
      await this.close();
      throw new MillraceError("LISTEN", listenMessage(address, cause), { cause });
    }
  }

  /** Takes no more connections; those that are open stay. */
  async close(): Promise<void> {
    await Promise.all(
      this.#servers.splice(0).map(
        (server) =>
          new Promise<void>((resolve) => {
            // The callback waits for open connections too, which outlive their listener here.
            server.close();
            resolve();
          }),
      ),
    );
  }

  async #listenLoopback(port: number): Promise<void> {
    const bound = await this.#listen({ host: "127.0.0.1", port });
    this.#address = { host: "localhost", port: bound };
    try {
      await this.#listen({ host: "::1", port: bound });
    } catch (error) {
      // A machine without IPv6 has no ::1; a port taken only there is a conflict that must be said.
      if (errorCode(error) === "EADDRINUSE") throw error;
    }
  }

  async #listenUnix(path: string): Promise<void> {
    try {
      await this.#listen({ path });
    } catch (error) {
      if (errorCode(error) !== "EADDRINUSE") throw error;
      const isSocket = (await lstat(path)).isSocket();
      if (!isSocket || (await answers(path))) throw error;
      // Left behind by a server that is gone.
      await unlink(path);
      await this.#listen({ path });
    }
  }

  #listen(where: { host?: string; port?: number; path?: string }): Promise<number> {
    const { backlog, onConnection } = this.#options;
    // The edge decides when a half-closed connection ends: a client may send its request, shut its
    // side and still wait for the answer.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection);
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ ...where, backlog }, () => {
        server.off("error", reject);
        this.#servers.push(server);
        const bound = server.address();
        resolve(typeof bound === "object" ? (bound as AddressInfo).port : 0);
      });
    });
  }
}

/** Whether anybody listens on a Unix socket. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    // Any other error, a full backlog say, comes of a socket that somebody holds.
    socket.once("error", (error) => resolve(errorCode(error) !== "ECONNREFUSED"));
  });
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

function listenMessage(address: ListenAddress, cause: unknown): string {
  const where = describeAddress(address);
  switch (errorCode(cause)) {
    case "EADDRINUSE":
      return (
        `Cannot listen on ${where}: the address is in use. ` +
        "Stop what listens there or choose another port"
      );
    case "EACCES":
      return `Cannot listen on ${where}: permission denied`;
    case "EADDRNOTAVAIL":
      return `Cannot listen on ${where}: this machine has no such address`;
    case "ENOTFOUND":
      return `Cannot listen on ${where}: the host name is not known`;
    default:
      return `Cannot listen on ${where}: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
}
