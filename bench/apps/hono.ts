/** Hono on Node, through its own adapter. */
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { HELLO, TEXT_10K, totalsOf, userOf, type Order } from "./answers.ts";

const app = new Hono()
  .get("/plaintext", (context) => context.text(HELLO))
  .get("/users/:id", (context) => context.json(userOf(context.req.param("id"))))
  .get("/text", (context) => context.text(TEXT_10K))
  .post("/orders", async (context) => context.json(totalsOf(await context.req.json<Order>())));

serve({
  fetch: app.fetch,
  hostname: "127.0.0.1",
  port: Number(process.env["PORT"]),
  serverOptions: { keepAliveTimeout: 300_000 },
});
