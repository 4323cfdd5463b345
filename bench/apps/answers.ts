/** What every server answers, so that all of them send the same bytes of body. */

/** Body of `GET /plaintext`. */
export const HELLO = "Hello, World!";

const LINE = "A millrace brings the current to the wheels, and here the current is requests.\n";

/** Body of `GET /text`: 10,240 bytes of ASCII. */
export const TEXT_10K = LINE.repeat(Math.ceil(10_240 / LINE.length)).slice(0, 10_240);

/** Answer of `GET /users/:id`; about 100 bytes as JSON. Keys are in the order they are sent in. */
export interface User {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly role: string;
  readonly active: boolean;
}

/** The user of that id. */
export function userOf(id: string): User {
  return { id, name: "Ada Lovelace", email: `ada.${id}@example.com`, role: "admin", active: true };
}

/** One line of an order. */
export interface OrderLine {
  readonly sku: string;
  readonly title: string;
  readonly quantity: number;
  readonly unitPriceCents: number;
}

/** Body of `POST /orders`; about 1 KB as JSON. */
export interface Order {
  readonly orderId: string;
  readonly customerId: string;
  readonly lines: readonly OrderLine[];
}

/** Answer of `POST /orders`: nothing in it can be known without parsing the body. */
export interface OrderTotals {
  readonly orderId: string;
  readonly lines: number;
  readonly quantity: number;
  readonly totalCents: number;
}

/** Adds up an order. */
export function totalsOf(order: Order): OrderTotals {
  let quantity = 0;
  let totalCents = 0;
  for (const line of order.lines) {
    quantity += line.quantity;
    totalCents += line.quantity * line.unitPriceCents;
  }
  return { orderId: order.orderId, lines: order.lines.length, quantity, totalCents };
}
