import { expect, test } from "vitest";

import { aSandbox } from "./sandbox";

test("files are written, read, listed, copied and removed", async () => {
  const { fs } = await aSandbox();

  await fs.mkdir("/tmp/folder");
  await fs.write("/tmp/folder/a.txt", "åäö\n");
  await fs.cp("/tmp/folder/a.txt", "/tmp/folder/b.txt");
  await fs.rm("/tmp/folder/a.txt");

  const listed = await fs.ls("/tmp/folder");
  expect(listed.files.map((file) => file.path)).toEqual(["/tmp/folder/b.txt"]);
  expect(await fs.read("/tmp/folder/b.txt")).toBe("åäö\n");
});

test("binary files come back as they were, in one part and in many", async () => {
  const { fs } = await aSandbox();
  const small = Buffer.from([0, 255, 10, 13, 128]);
  const large = Buffer.alloc(6 * 1024 * 1024, 7);

  await fs.writeBinary("/tmp/small", small);
  await fs.writeBinary("/tmp/large", large);

  expect(Buffer.from(await (await fs.readBinary("/tmp/small")).arrayBuffer())).toEqual(small);
  const read = Buffer.from(await (await fs.readBinary("/tmp/large")).arrayBuffer());
  expect(read.equals(large)).toBe(true);
});

test("a tree of files is written at once", async () => {
  const { fs } = await aSandbox();

  await fs.writeTree(
    [
      { path: "one.txt", content: "1" },
      { path: "deep/two.txt", content: "2" },
    ],
    "/tmp/tree",
  );

  expect(await fs.read("/tmp/tree/deep/two.txt")).toBe("2");
});

test("a file that is not there is thrown with status 404", async () => {
  const { fs } = await aSandbox();

  await expect(fs.read("/tmp/not-there")).rejects.toMatchObject({ response: { status: 404 } });
});

test("a command runs to its end, and its logs are kept by stream", async () => {
  const { process } = await aSandbox();
  const command = "echo out; echo err >&2; exit 3";

  const ran = await process.exec({ name: "ran", command, waitForCompletion: true });

  expect(ran).toMatchObject({ name: "ran", status: "failed", exitCode: 3 });
  expect(await process.logs("ran", "stdout")).toBe("out\n");
  expect(await process.logs("ran", "stderr")).toBe("err\n");
  expect((await process.list()).map((each) => each.name)).toContain("ran");
});

test("lines are told as they come while a command runs", async () => {
  const { process } = await aSandbox();
  const lines: string[] = [];

  const ran = await process.exec({
    command: "echo one; sleep 0.2; echo two >&2",
    waitForCompletion: true,
    onStdout: (line) => lines.push(`out ${line}`),
    onStderr: (line) => lines.push(`err ${line}`),
  });

  expect(ran.exitCode).toBe(0);
  expect(lines.map((line) => line.trimEnd())).toEqual(["out one", "err two"]);
});

test("the log stream of a running process ends with it", async () => {
  const { process } = await aSandbox();
  await process.exec({ name: "slow", command: "echo a; sleep 0.3; echo b" });
  const lines: string[] = [];

  const stream = process.streamLogs("slow", { onStdout: (line) => lines.push(line) });
  await stream.wait();

  expect(lines).toEqual(["a", "b"]);
});

test("a process is waited for, and another is killed", async () => {
  const { process } = await aSandbox();
  await process.exec({ name: "short", command: "sleep 0.2" });
  await process.exec({ name: "endless", command: "sleep 1000" });

  const short = await process.wait("short", { maxWait: 20_000, interval: 100 });
  await process.kill("endless");

  expect(short.status).toBe("completed");
  const endless = await process.wait("endless", { maxWait: 20_000, interval: 100 });
  expect(endless.status).toBe("killed");
});

test("a process that is not there is thrown with status 404", async () => {
  const { process } = await aSandbox();

  await expect(process.get("not-there")).rejects.toMatchObject({ response: { status: 404 } });
});
