/** Millrace as most applications use it: every route runs on a worker thread. */
import { app } from "millrace";
import { HELLO, TEXT_10K, totalsOf, userOf, type Order } from "./answers.ts";

export default app()
  .get("/plaintext", () => HELLO)
  .get("/users/:id", (request) => userOf(request.params.id))
  .get("/text", () => TEXT_10K)
  .post("/orders", async (request) => totalsOf((await request.json()) as Order));
