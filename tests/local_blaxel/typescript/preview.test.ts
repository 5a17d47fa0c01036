import { SandboxInstance } from "@blaxel/core";
import { beforeAll, afterAll, expect, test } from "vitest";

import { IMAGE, newName } from "./sandbox";

let sandbox: SandboxInstance;

beforeAll(async () => {
  sandbox = await SandboxInstance.create({ name: newName(), image: IMAGE, memory: 1024 });
  await sandbox.fs.write("/blaxel/site/index.html", "hello from inside");
  await sandbox.process.exec({
    command: "python3 -m http.server 3000 --bind 0.0.0.0",
    workingDir: "/blaxel/site",
    waitForPorts: [3000],
  });
});

afterAll(async () => {
  await sandbox.delete();
});

test("a port is fetched through the sandbox's own address", async () => {
  const response = await sandbox.fetch(3000, "/index.html");

  expect(await response.text()).toBe("hello from inside");
});

test("a public preview answers everyone, with its headers", async () => {
  const preview = await sandbox.previews.create({
    metadata: { name: "public" },
    spec: { port: 3000, public: true, responseHeaders: { "X-Colour": "red" } },
  });

  const response = await fetch(`${preview.spec.url}/`);

  expect(await response.text()).toBe("hello from inside");
  expect(response.headers.get("x-colour")).toBe("red");
});

test("a private preview answers only with a token that still exists", async () => {
  const preview = await sandbox.previews.create({
    metadata: { name: "private" },
    spec: { port: 3000, public: false },
  });
  const token = await preview.tokens.create(new Date(Date.now() + 60_000));
  const open = () => fetch(preview.spec.url!, { headers: { "X-Blaxel-Preview-Token": token.value } });
  const opened = await open();

  await preview.tokens.delete(token.value);

  expect(token.expired).toBe(false);
  expect(opened.status).toBe(200);
  expect((await open()).status).toBe(401);
  expect((await fetch(preview.spec.url!)).status).toBe(401);
});

test("createIfNotExists keeps a preview, and a deleted one is gone", async () => {
  const wanted = { metadata: { name: "kept" }, spec: { port: 3000, public: true } };
  const first = await sandbox.previews.createIfNotExists(wanted);
  const second = await sandbox.previews.createIfNotExists(wanted);

  await sandbox.previews.delete("kept");

  expect(second.spec.url).toBe(first.spec.url);
  const left = await sandbox.previews.list();
  expect(left.map((preview) => preview.name)).not.toContain("kept");
});
