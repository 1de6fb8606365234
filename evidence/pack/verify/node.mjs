// Prints what verify.js finds in a pack, as JSON:
//   node node.mjs PACK [KEY [ROOTS.pem]]
//   node node.mjs --all PACK...             a list of reports
import { open, readFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { runInThisContext } from "node:vm";

const here = (name) => new URL(name, import.meta.url);
const pack = runInThisContext(`${await readFile(here("verify.js"), "utf8")}; BonafidePack`);
const words = JSON.parse(await readFile(here("words.json"), "utf8")).en;

const reader = async (p) => {
  const f = await open(p);
  return {
    size: (await f.stat()).size,
    async read(offset, length) {
      const b = new Uint8Array(length);
      const { bytesRead } = await f.read(b, 0, length, offset);
      if (bytesRead < length) throw new Error(`${p} ends early`);
      return b;
    },
    close: () => f.close(),
  };
};
async function check(path, key, roots) {
  let source;
  const opened = [];
  const from = async (p) => { const r = await reader(p); opened.push(r); return r; };
  if ((await stat(path)).isDirectory()) {
    const files = [];
    for (const e of await readdir(path, { recursive: true, withFileTypes: true })) {
      if (e.isDirectory()) continue;
      const full = join(e.parentPath ?? e.path, e.name);
      files.push({ path: full.slice(path.length + 1), ...await from(full) });
    }
    source = { files };
  } else source = await from(path);
  const began = performance.now();
  const report = await pack.verify(source, { key: key || undefined, roots: roots ? await readFile(roots, "utf8") : undefined });
  report.seconds = (performance.now() - began) / 1000;
  for (const p of report.problems) p.what = pack.say(words, `p.${p.key}`, p.file, p.args);
  for (const c of report.checks) c.text = pack.say(words, `check.${c.code}`) + (c.why ? `. ${pack.say(words, c.why)}` : "");
  for (const r of opened) await r.close();
  return report;
}

const args = process.argv.slice(2);
let out;
if (args[0] === "--all") {
  out = [];
  for (const p of args.slice(1)) out.push(await check(p));
} else out = await check(...args);
process.stdout.write(`${JSON.stringify(out, null, 1)}\n`);
