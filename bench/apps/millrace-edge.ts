/** Millrace without the hop: every route runs on the edge loop itself. */
import { app } from "millrace";
import { HELLO, TEXT_10K, totalsOf, userOf, type Order } from "./answers.ts";

export default app()
  .get("/plaintext", { placement: "edge" }, () => HELLO)
  .get("/users/:id", { placement: "edge" }, (request) => userOf(request.params.id))
  .get("/text", { placement: "edge" }, () => TEXT_10K)
  .post("/orders", { placement: "edge" }, async (request) =>
    totalsOf((await request.json()) as Order),
  );
