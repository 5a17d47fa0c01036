import { randomBytes } from "node:crypto";

import { SandboxInstance } from "@blaxel/core";
import { onTestFinished } from "vitest";

export const IMAGE = "blaxel/base-image:latest";

export function newName(): string {
  return `ts-${randomBytes(4).toString("hex")}`;
}

/** A sandbox that is deleted when the test ends. */
export async function aSandbox(): Promise<SandboxInstance> {
  const sandbox = await SandboxInstance.create({ name: newName(), image: IMAGE, memory: 1024 });
  onTestFinished(async () => {
    await sandbox.delete();
  });
  return sandbox;
}
