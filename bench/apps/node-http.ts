/** `node:http` with nothing around it: the router is an if, the headers go out in one writeHead. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { HELLO, TEXT_10K, totalsOf, userOf, type Order } from "./answers.ts";

const server = createServer((request, response) => {
  const url = request.url ?? "/";
  if (request.method === "GET") {
    if (url === "/plaintext") return send(response, "text/plain", HELLO);
    if (url.startsWith("/users/")) {
      return send(response, "application/json", JSON.stringify(userOf(url.slice(7))));
    }
    if (url === "/text") return send(response, "text/plain", TEXT_10K);
  }
  if (request.method === "POST" && url === "/orders") return answerOrder(request, response);
  response.writeHead(404, { "content-length": 0 }).end();
});
server.keepAliveTimeout = 300_000;
server.listen(Number(process.env["PORT"]), "127.0.0.1");

function answerOrder(request: IncomingMessage, response: ServerResponse): void {
  let text = "";
  request.setEncoding("utf8");
  request.on("data", (chunk: string) => (text += chunk));
  request.on("end", () => {
    send(response, "application/json", JSON.stringify(totalsOf(JSON.parse(text) as Order)));
  });
}

function send(response: ServerResponse, type: string, body: string): void {
  response.writeHead(200, { "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
