/** Opens connections, asks once on each, holds them. Its own process: see client-process.ts. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { answerMessages } from "./client-process.ts";

/** What to open. */
export interface IdleQuestion {
  readonly port: number;
  /** Opened by this question, beside those that are open already. */
  readonly connections: number;
  readonly requestText: string;
  readonly wireBytes: number;
  /**
   * Reset all connections in the end. A close would leave each in TIME-WAIT for a minute, and the
   * servers measured next would find the machine full of them.
   */
  readonly reset: boolean;
}

/** How many connections are open now. */
export interface IdleAnswer {
  readonly open: number;
}

const OPENING_MAX = 100;

const sockets = new Set<Socket>();

async function openOne(question: IdleQuestion): Promise<void> {
  const socket = connect({ port: question.port, host: "127.0.0.1" });
  await once(socket, "connect");
  sockets.add(socket);
  socket.on("close", () => sockets.delete(socket));
  socket.write(question.requestText);
  await answered(socket, question.wireBytes);
}

function answered(socket: Socket, wireBytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on("data", () => {
      if (socket.bytesRead >= wireBytes) resolve();
    });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("A connection closed before its answer")));
  });
}

answerMessages<IdleQuestion, IdleAnswer>(async (question) => {
  let left = question.connections;
  const openSome = async () => {
    while (left > 0) {
      left -= 1;
      await openOne(question);
    }
  };
  await Promise.all(Array.from({ length: OPENING_MAX }, openSome));
  const open = sockets.size;
  if (question.reset) for (const socket of sockets) socket.resetAndDestroy();
  return { open };
});
