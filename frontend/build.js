// Builds what is bundled in static/: `npm ci && npm run build`. js/ has the workspace, css/ its styles and
// those of all pages, and vendor/ the libraries that the workspace loads, from the packages in
// package-lock.json. The same sources and packages give the same bytes, which tests/test_frontend.py
// compares with what is committed.
import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const out = path.join(root, "static");
const vendor = path.join(out, "vendor");

const packageOf = (input) => input.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1];
const manifest = async (name) =>
  JSON.parse(await readFile(path.join(root, "node_modules", name, "package.json"), "utf8"));

// Manta's policy allows neither <style> elements nor style attributes that a script writes.
// What is expected to be found is counted: another release may do it in another way.
const PATCHES = {
  "style-mod": [['createElement("style")', 'createElement("adopted-style")', 1]],
  "@xterm/xterm": [
    ['createElement("style")', 'createElement("adopted-style")', 3],
    [
      't.setAttribute("style",`${t.getAttribute("style")||""}${e};`)',
      't.style.cssText+=`${e};`',
      1,
    ],
  ],
};

const patched = {
  name: "patched",
  setup({ onLoad }) {
    onLoad({ filter: /node_modules\/(style-mod|@xterm\/xterm)\/.*\.m?js$/ }, async (file) => {
      const name = packageOf(path.relative(root, file.path));
      let contents = await readFile(file.path, "utf8");
      for (const [found, instead, times] of PATCHES[name]) {
        const parts = contents.split(found);
        if (parts.length !== times + 1) throw Error(`${name}: ${parts.length - 1} of ${found}`);
        contents = parts.join(instead);
      }
      return { contents };
    });
  },
};

const licence = async (name) => {
  const { version, license } = await manifest(name);
  const folder = path.join(root, "node_modules", name);
  const file = (await readdir(folder)).find((entry) => /^licen[sc]e/i.test(entry));
  if (!file) throw Error(`${name} has no licence file`);
  const text = await readFile(path.join(folder, file), "utf8");
  return `${name} ${version} (${license})\n\n${text.trim()}\n`;
};

await rm(vendor, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: {
    "js/workspace": "frontend/workspace/workspace.js",
    "css/manta": "frontend/styles/manta.css",
    "css/workspace": "frontend/workspace/styles/workspace.css",
    "css/ports": "frontend/workspace/styles/ports.css", // for the page that works without JavaScript
  },
  outdir: out,
  // What is imported when it is needed, with what it imports: the libraries.
  chunkNames: "vendor/[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  charset: "utf8",
  plugins: [patched],
  metafile: true,
});
const names = new Set(Object.keys(metafile.inputs).map(packageOf).filter(Boolean));
const licences = await Promise.all([...names].sort().map(licence));
await writeFile(path.join(vendor, "LICENCES.txt"), licences.join(`\n${"-".repeat(72)}\n\n`));
