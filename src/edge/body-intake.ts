import { wholeBytesMax } from "../core/bounds.ts";
import { latin1Text } from "../http1/octets.ts";
import type { RequestParser } from "../http1/parser.ts";
import type { Edge } from "./edge.ts";
import type { Exchange } from "./exchange.ts";
import type { RouteTarget } from "./route-table.ts";

/**
 * Bytes of an unwanted body that are read and dropped to keep the connection; beyond, it closes
 * instead.
 */
const discardedBytesMax = 262_144;

/**
 * What becomes of the body being read.
 * - `collecting`: it is gathered whole, and its request is dispatched once it is complete
 * - `streaming`: its request is dispatched, and the bytes follow
 * - `discarding`: nobody wants it
 */
type Mode = "collecting" | "streaming" | "discarding";

/**
 * What the connection is to do after some bytes: read on, wait until the reader has room, or stop
 * reading for good.
 */
export type IntakeVerdict = "read" | "wait" | "stop";

/** Takes in the body of one request after another of a connection. */
export class BodyIntake {
  readonly #edge: Edge;
  /** The request whose body is being read; null between bodies. */
  exchange: Exchange | null = null;
  /** The client waits for 100 Continue (RFC 9110 §10.1.1). */
  owesContinue = false;
  #route: RouteTarget | null = null;
  #mode: Mode = "discarding";
  #text = "";
  #bytes = 0;

  constructor(edge: Edge) {
    this.#edge = edge;
  }

  /** A head announced a body. @param route null when the request is answered already */
  begin(exchange: Exchange, route: RouteTarget | null, parser: RequestParser): void {
    this.exchange = exchange;
    this.#route = route;
    this.#bytes = 0;
    this.#text = "";
    this.#mode = "discarding";
    this.owesContinue = parser.expectContinue;
    if (route === null) return;
    if (parser.contentLength > exchange.bodyBytesMax) return this.#refuse(exchange);
    this.#mode = "collecting";
    if (parser.contentLength > wholeBytesMax) this.#stream(exchange, route);
  }

  take(buffer: Buffer, start: number, end: number): IntakeVerdict {
    const { exchange } = this;
    this.owesContinue = false;
    this.#bytes += end - start;
    if (exchange?.open !== true) this.#mode = "discarding";
    if (exchange === null || this.#mode === "discarding") {
      return this.#bytes > discardedBytesMax ? "stop" : "read";
    }
    if (this.#bytes > exchange.bodyBytesMax) {
      this.#refuse(exchange);
      return "read";
    }
    if (this.#mode === "collecting") {
      if (this.#bytes <= wholeBytesMax) {
        this.#text += latin1Text(buffer, start, end);
        return "read";
      }
      this.#stream(exchange, this.#route as RouteTarget);
    }
    return exchange.addBody(buffer.subarray(start, end)) ? "read" : "wait";
  }

  /** The body is complete. */
  complete(): void {
    const { exchange } = this;
    const mode = this.#mode;
    const text = this.#text;
    this.forget();
    if (exchange?.open !== true) return;
    if (mode === "streaming") {
      exchange.completeBody();
    } else if (mode === "collecting") {
      exchange.wholeBody = text;
      this.#edge.dispatch(exchange, this.#route as RouteTarget);
    }
  }

  /** The request was answered before its body was complete: the rest is of no use. */
  answeredEarly(exchange: Exchange): void {
    this.#mode = "discarding";
    this.#text = "";
    this.#bytes = 0;
    // The client may or may not send the body it announced, so what follows can't be told apart.
    if (this.owesContinue) exchange.close = true;
  }

  /** Nothing more of it will be read. */
  forget(): void {
    this.exchange = null;
    this.owesContinue = false;
    this.#text = "";
    this.#mode = "discarding";
  }

  #stream(exchange: Exchange, route: RouteTarget): void {
    this.#mode = "streaming";
    exchange.streamBody();
    if (this.#text !== "") exchange.addBody(Buffer.from(this.#text, "latin1"));
    this.#text = "";
    this.#edge.dispatch(exchange, route);
  }

  #refuse(exchange: Exchange): void {
    this.#mode = "discarding";
    this.#edge.refuseBody(exchange);
  }
}
