import type { Socket } from "node:net";

/** What lives on a socket and is told what happens to it. */
export interface SocketOwner {
  /** Bytes came. */
  receive(chunk: Buffer): void;
  /** The client closed its side. */
  clientEnded(): void;
  /** All that was written has been taken by the system. */
  drained(): void;
  /** Our side is closed, and the system has taken all that was written. */
  finished(): void;
  /** The socket is closed: nothing more comes or goes. */
  closed(): void;
}

const owner = Symbol("owner");
type OwnedSocket = Socket & { [owner]?: SocketOwner };

/**
 * Has a socket tell its owner what happens. The listeners are the same functions for every socket,
 * and find the owner on it: ten thousand connections make no closures.
 */
export function own(socket: Socket, by: SocketOwner): void {
  (socket as OwnedSocket)[owner] = by;
  socket.on("data", onData);
  socket.on("end", onEnd);
  socket.on("drain", onDrain);
  socket.on("finish", onFinish);
  socket.on("error", onError);
  socket.on("close", onClose);
}

function onData(this: OwnedSocket, chunk: Buffer): void {
  this[owner]?.receive(chunk);
}

function onEnd(this: OwnedSocket): void {
  this[owner]?.clientEnded();
}

function onDrain(this: OwnedSocket): void {
  this[owner]?.drained();
}

function onFinish(this: OwnedSocket): void {
  this[owner]?.finished();
}

function onError(): void {
  // A reset, or a write after the client went: "close" follows and does what is to be done.
}

function onClose(this: OwnedSocket): void {
  this[owner]?.closed();
}
