// Names as Manta takes them: one that looks like the encoding of a name that is not UTF-8 has its % as
// %25, as data_plane/names.py says. A file of this computer is none of those, whatever it is called.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const hex = (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;

const characterAt = (bytes, at) => {
  for (let end = at + 1; end <= Math.min(at + 4, bytes.length); end += 1) {
    try { return decoder.decode(bytes.subarray(at, end)); } catch { /* It is longer, or none. */ }
  }
  return "";
};
const bytesOf = (text) => {
  const parts = text.match(/%[0-9A-F]{2}|[^]/giu);
  return Uint8Array.from(parts.flatMap((part) => (part.length === 3 ? parseInt(part.slice(1), 16) : [...encoder.encode(part)])));
};
const isEncoded = (name) => {
  const runs = [...name.matchAll(/%((?:25)*)/g)].map(([, run]) => run.length);
  if (!runs.length) return false;
  const innermost = name.replaceAll(`%${"25".repeat(Math.min(...runs) / 2)}`, "%");
  const bytes = bytesOf(innermost);
  let again = "";
  let others = 0;
  for (let at = 0; at < bytes.length; ) {
    const character = characterAt(bytes, at);
    if (!character) others += 1;
    again += character ? character.replace("%", "%25") : hex(bytes[at]);
    at += character ? encoder.encode(character).length : 1;
  }
  return others > 0 && again === innermost;
};

export const literal = (name) => (isEncoded(name) ? name.replaceAll("%", "%25") : name);
