// Serves this folder's public/ on port 3000, where there is no Python. Reload to see a change.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const PORT = 3000;
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".json": "application/json",
};

const server = createServer(async (request, response) => {
  try {
    const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    let file = join("public", normalize(path));
    if ((await stat(file)).isDirectory()) file = join(file, "index.html");
    await stat(file);
    response.writeHead(200, {
      "Content-Type": TYPES[extname(file)] ?? "application/octet-stream",
      "Cache-Control": "no-store",
    });
    createReadStream(file).pipe(response);
  } catch {
    response.writeHead(404, { "Content-Type": "text/plain" }).end("There is no such page.\n");
  }
});

// 0.0.0.0, not 127.0.0.1: a preview reaches the sandbox from outside.
server.listen(PORT, "0.0.0.0", () => console.log(`Serving public/ on port ${PORT}`));
