import { CodeInterpreter, SandboxInstance, VolumeInstance } from "@blaxel/core";
import { expect, onTestFinished, test } from "vitest";

import { aSandbox, IMAGE, newName } from "./sandbox";

test("a volume grows, and keeps what a sandbox wrote into it", async () => {
  const volume = await VolumeInstance.create({ name: newName(), size: 100, region: "us-pdx-1" });
  const grown = await volume.update({ size: 200 });
  const volumes = [{ name: volume.name, mountPath: "/data", readOnly: false }];
  const first = await SandboxInstance.create({ name: newName(), image: IMAGE, volumes });
  await first.fs.write("/data/file", "kept");
  await first.delete();

  const second = await taking(() =>
    SandboxInstance.create({ name: newName(), image: IMAGE, volumes }),
  );

  onTestFinished(async () => {
    await second.delete();
    await taking(() => VolumeInstance.delete(volume.name));
  });
  expect(grown.size).toBe(200);
  expect(await second.fs.read("/data/file")).toBe("kept");
  expect((await VolumeInstance.list()).data.map((each) => each.name)).toContain(volume.name);
});

test("a schedule runs its command", async () => {
  const { schedules } = await aSandbox();

  const made = await schedules.create({ type: "sleep", value: "1s", input: { command: "true" } });

  const statuses = async () => (await schedules.executions()).data.map((each) => each.status);
  expect(made.type).toBe("at");
  await expect.poll(statuses, { timeout: 60_000 }).toEqual(["succeeded"]);
});

test("a snapshot brings files back, and a fork has them", async () => {
  const sandbox = await aSandbox();
  await sandbox.fs.write("/blaxel/file", "before");
  await sandbox.snapshots.create("kept");
  await sandbox.fs.write("/blaxel/file", "after");

  const { name } = await sandbox.fork(newName());
  await sandbox.snapshots.restore("kept");

  const forked = await SandboxInstance.get(name!);
  onTestFinished(async () => {
    await forked.delete();
    await sandbox.snapshots.delete("kept");
  });
  expect(await forked.fs.read("/blaxel/file")).toBe("after");
  expect(await sandbox.fs.read("/blaxel/file")).toBe("before");
});

test("an archive is brought back with its files", async () => {
  const sandbox = await aSandbox();
  await sandbox.fs.write("/blaxel/file", "kept");

  const { status } = await sandbox.archive({ interval: 100 });
  const archived = `${status}`;
  await sandbox.unarchive({ interval: 100 });

  expect(archived).toBe("ARCHIVED");
  expect(await sandbox.fs.read("/blaxel/file")).toBe("kept");
});

test("code keeps its state between runs of a code interpreter", async () => {
  const interpreter = await CodeInterpreter.create({ name: newName() });
  onTestFinished(async () => {
    await interpreter.delete();
  });

  await interpreter.runCode("x = 20");
  const ran = await interpreter.runCode("print('out')\nx + 1");

  expect(ran.results.map((each) => each.text)).toEqual(["21"]);
  expect(ran.logs.stdout.join("")).toBe("out\n");
});

/** What it answers once the volume is free: its sandbox is deleted in the background. */
async function taking<Made>(make: () => Promise<Made>): Promise<Made> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await make();
    } catch (refused) {
      if (attempt === 100) throw refused;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
