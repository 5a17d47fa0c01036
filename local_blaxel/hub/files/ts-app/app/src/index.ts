import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

const host = process.env.HOST ?? "0.0.0.0";
const port = Number(process.env.PORT ?? 3000);

function answer(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ message: "Hello from TypeScript", path: request.url }));
}

createServer(answer).listen(port, host, () => {
  console.log(`Listening on http://${host}:${port}`);
});
