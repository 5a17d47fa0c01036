import { SandboxInstance } from "@blaxel/core";
import { expect, onTestFinished, test } from "vitest";

import { aSandbox, IMAGE, newName } from "./sandbox";

test("a created sandbox is deployed, and is the one that get finds", async () => {
  const sandbox = await aSandbox();

  const found = await SandboxInstance.get(sandbox.metadata.name!);

  expect(found.status).toBe("DEPLOYED");
  expect(found.spec.runtime).toMatchObject({ image: IMAGE, memory: 1024 });
  expect(found.metadata.url).toMatch(new RegExp(`^${process.env.BL_RUN_URL}/`));
});

test("a list holds the sandbox until it is deleted", async () => {
  const sandbox = await SandboxInstance.create({ name: newName(), image: IMAGE });
  const before = await names();

  const deleted = await sandbox.delete();

  expect(before).toContain(sandbox.metadata.name);
  expect(deleted.status).toBe("DELETING");
  await expect.poll(names, { timeout: 60_000 }).not.toContain(sandbox.metadata.name);
});

test("createIfNotExists finds the sandbox that is there, also many times at once", async () => {
  const sandbox = await aSandbox();
  const again = { name: sandbox.metadata.name!, image: IMAGE, memory: 1024 };
  const concurrently = Array.from({ length: 5 }, () => SandboxInstance.createIfNotExists(again));

  const found = await Promise.all(concurrently);

  expect(new Set(found.map((each) => each.metadata.createdAt)).size).toBe(1);
  expect(found[0].metadata.createdAt).toBe(sandbox.metadata.createdAt);
});

test("labels can be changed", async () => {
  const sandbox = await aSandbox();

  await SandboxInstance.updateMetadata(sandbox.metadata.name!, { labels: { team: "red" } });

  const found = await SandboxInstance.get(sandbox.metadata.name!);
  expect(found.metadata.labels).toEqual({ team: "red" });
});

test("a sandbox that is not there is thrown as Blaxel's plain object", async () => {
  await expect(SandboxInstance.get("not-there")).rejects.toMatchObject({
    error: expect.any(String),
    code: 404,
  });
});

test("a name that is taken is thrown with its code", async () => {
  const sandbox = await aSandbox();

  const again = SandboxInstance.create({ name: sandbox.metadata.name!, image: IMAGE });

  await expect(again).rejects.toMatchObject({ code: "SANDBOX_ALREADY_EXISTS", status_code: 409 });
});

test("an unknown image is thrown with its name in the message", async () => {
  const created = SandboxInstance.create({ name: newName(), image: "blaxel/none:latest" });

  await expect(created).rejects.toMatchObject({
    code: "IMAGE_NOT_FOUND",
    message: expect.stringContaining("blaxel/none:latest"),
  });
});

test("a session opens the sandbox without the key", async () => {
  const sandbox = await aSandbox();
  const session = await sandbox.sessions.create({ expiresAt: new Date(Date.now() + 60_000) });
  onTestFinished(async () => {
    await sandbox.sessions.delete(session.name);
  });

  const guest = await SandboxInstance.fromSession(session);

  await guest.fs.write("/tmp/from-session", "hello");
  expect(await sandbox.fs.read("/tmp/from-session")).toBe("hello");
});

async function names(): Promise<(string | undefined)[]> {
  const page = await SandboxInstance.list({ limit: 200 });
  return page.data.map((sandbox) => sandbox.metadata.name);
}
