/** Fastify as its documentation advises for speed: response schemas, no logger, one process. */
import fastify from "fastify";
import { HELLO, TEXT_10K, totalsOf, userOf, type Order } from "./answers.ts";

const string = { type: "string" } as const;
const integer = { type: "integer" } as const;
const userSchema = {
  type: "object",
  properties: {
    id: string,
    name: string,
    email: string,
    role: string,
    active: { type: "boolean" },
  },
} as const;
const totalsSchema = {
  type: "object",
  properties: { orderId: string, lines: integer, quantity: integer, totalCents: integer },
} as const;

const server = fastify({ logger: false, keepAliveTimeout: 300_000 });

server.get("/plaintext", (_request, reply) => {
  reply.type("text/plain").send(HELLO);
});
server.get<{ Params: { id: string } }>(
  "/users/:id",
  { schema: { response: { 200: userSchema } } },
  (request, reply) => {
    reply.send(userOf(request.params.id));
  },
);
server.get("/text", (_request, reply) => {
  reply.type("text/plain").send(TEXT_10K);
});
server.post<{ Body: Order }>(
  "/orders",
  { schema: { response: { 200: totalsSchema } } },
  (request, reply) => {
    reply.send(totalsOf(request.body));
  },
);

await server.listen({ host: "127.0.0.1", port: Number(process.env["PORT"]) });
