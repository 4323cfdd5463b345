import type { Exchange } from "./exchange.ts";

/** The requests of one connection that are read and not yet wholly answered, oldest first. */
export class ExchangeLine {
  /** Whose answer goes out now or next. */
  first: Exchange | null = null;
  last: Exchange | null = null;
  size = 0;

  append(exchange: Exchange): void {
    if (this.last === null) this.first = exchange;
    else this.last.next = exchange;
    this.last = exchange;
    this.size += 1;
  }

  /** The first one is answered. */
  shift(): void {
    this.first = this.first?.next ?? null;
    if (this.first === null) this.last = null;
    this.size -= 1;
  }

  /** Nobody waits for any of them any more. */
  abandon(why: string): void {
    const gone = this.first;
    this.first = null;
    this.last = null;
    this.size = 0;
    for (let exchange = gone; exchange !== null; exchange = exchange.next) {
      exchange.held?.resolve();
      exchange.abandon(new DOMException(why, "AbortError"));
    }
  }
}
