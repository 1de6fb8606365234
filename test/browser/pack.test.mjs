// Opens VERIFY.html from a file, as who is given a pack does, and checks packs with it: a
// sound one, tampered ones, a folder. BONAFIDE_PACK_SAMPLES may name a folder of samples;
// else a test in Go writes them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
let browser, dir, made, url;
before(async () => {
  dir = process.env.BONAFIDE_PACK_SAMPLES;
  if (!dir) {
    dir = made = mkdtempSync(join(tmpdir(), "bonafide-pack-"));
    execFileSync("go", ["test", "-count=1", "-run", "^TestWriteSamples$", "./evidence/pack"], {
      cwd: fileURLToPath(new URL("../..", import.meta.url)), env: { ...process.env, BONAFIDE_PACK_SAMPLES: dir }, stdio: ["ignore", "ignore", "inherit"],
    });
  }
  url = pathToFileURL(join(dir, "VERIFY.html")).href;
  browser = await chromium.launch({
    executablePath: process.env.BONAFIDE_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
});
after(async () => {
  await browser?.close();
  if (made) rmSync(made, { recursive: true });
});

async function open(options = {}, init = []) {
  const context = await browser.newContext({ viewport: { width: 1000, height: 900 }, locale: "en-GB", ...options });
  for (const s of init) await context.addInitScript(s);
  const page = await context.newPage();
  const said = [];
  page.on("console", (m) => said.push(`${m.type()}: ${m.text()}`));
  page.on("pageerror", (e) => said.push(`error: ${e.message}`));
  page.on("request", (r) => { if (r.url() !== url) said.push(`asked: ${r.url()}`); });
  await page.goto(url);
  const choose = async (name) => {
    await page.locator("#zip").setInputFiles(join(dir, name));
    await page.locator("#result").waitFor();
  };
  const states = () => page.locator("#checks li").evaluateAll((ls) => ls.map((l) => `${l.className}: ${l.querySelector(".state").textContent}`));
  return { page, said, choose, states, close: () => context.close() };
}

test("a sound pack passes every check", async () => {
  const { page, said, choose, states, close } = await open();
  await choose("good.zip");
  assert.equal(await page.locator("#verdict").innerText(), "Nothing wrong was found.");
  assert.deepEqual(await states(), [...Array(11).fill("ok: right"), "absent: not checked", "absent: not checked"]);
  assert.match(await page.locator("#checks").innerText(), /compare the fingerprint of the key/);
  assert.ok(await page.locator("#problems-part").isHidden());
  assert.equal(await page.locator("dd.print").count(), 2);
  assert.equal(await page.evaluate(() => document.activeElement.id), "verdict");
  await page.locator("#key").fill(readFileSync(join(dir, "key.txt"), "utf8"));
  await page.locator("#key").press("Enter");
  await page.waitForFunction(() => document.querySelectorAll("#checks .ok").length === 12);
  assert.deepEqual(said, []);
  await close();
});

test("another key than the trusted one is named, and what is no key is refused", async () => {
  const { page, close } = await open();
  const key = readFileSync(join(dir, "key.txt"), "utf8");
  await page.locator("#key").fill("hello");
  await page.locator("#zip").setInputFiles(join(dir, "good.zip"));
  await page.locator("#key-wrong").waitFor();
  assert.ok(await page.locator("#result").isHidden());
  // A key of the same form: the name takes part in its hash.
  const other = await page.evaluate((k) => {
    const [, , ...rest] = k.split("+");
    const b = Uint8Array.from(atob(rest.join("+")), (c) => c.charCodeAt(0));
    const text = new TextEncoder().encode("other.example\n");
    const all = new Uint8Array([...text, ...b]);
    return `other.example+${BonafidePack.hex(BonafidePack.sha256(all).subarray(0, 4))}+${btoa(String.fromCharCode(...b))}`;
  }, key);
  await page.locator("#key").fill(other);
  await page.locator("#key").press("Enter");
  await page.locator("#result").waitFor();
  assert.match(await page.locator("#problems").innerText(), /seal\/log-key\.txt is not the key that you trust/);
  await close();
});

for (const [name, text] of [
  ["replaced.zip", /manifest-sha256\.txt is not the manifest that was sealed/],
  ["dropped.zip", /Custody entry 4 of item I-1 is missing/],
  ["stamp.zip", /seal\/timestamp\.tst is not by an authority below the roots/],
]) {
  test(`${name} is found and named`, async () => {
    const { page, said, choose, states, close } = await open();
    await choose(name);
    assert.match(await page.locator("#verdict").innerText(), /^Wrong: \d+\. Do not rely on this pack\.$/);
    assert.match(await page.locator("#problems").innerText(), text);
    assert.ok((await states()).includes("failed: WRONG"));
    assert.deepEqual(said, []);
    await close();
  });
}

test("what is no zip is said to be none", async () => {
  const { page, choose, close } = await open();
  await choose("key.txt");
  assert.match(await page.locator("#problems").innerText(), /it is not a zip/);
  await close();
});

test("a folder is checked like a zip", async () => {
  const { page, said, close } = await open();
  await page.locator("#folder").setInputFiles(join(dir, "folder"));
  await page.locator("#result").waitFor();
  assert.equal(await page.locator("#verdict").innerText(), "Nothing wrong was found.");
  assert.match(await page.locator("#checks").innerText(), /A folder was checked, not a zip/);
  assert.deepEqual(said, []);
  await close();
});

test("a file that is dropped is checked", async () => {
  const { page, close } = await open();
  const body = readFileSync(join(dir, "dropped.zip")).toString("base64");
  await page.evaluate((b) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(atob(b), (c) => c.charCodeAt(0))], "dropped.zip"));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  }, body);
  await page.locator("#result").waitFor();
  assert.match(await page.locator("#problems").innerText(), /Custody entry 4/);
  await close();
});

test("without the browser's cryptography the time-stamp is not called right", async () => {
  const { page, choose, close } = await open({}, ["Object.defineProperty(globalThis.crypto, 'subtle', { value: undefined })"]);
  await choose("good.zip");
  assert.equal(await page.locator("#verdict").innerText(), "Nothing wrong was found.");
  const stamp = page.locator("#checks li", { hasText: "An authority stamped" });
  assert.equal(await stamp.getAttribute("class"), "absent");
  assert.match(await stamp.innerText(), /does not offer its cryptography/);
  assert.match(await page.locator("#about").innerText(), /Stamped at\s+none/);
  await choose("replaced.zip");
  assert.match(await page.locator("#problems").innerText(), /not the manifest that was sealed/);
  await close();
});

test("Chinese by the browser's language and by the switch", async () => {
  const { page, said, choose, close } = await open({ locale: "zh-CN" });
  assert.equal(await page.locator("h1").innerText(), "核验封存证据");
  await choose("dropped.zip");
  assert.match(await page.locator("#problems").innerText(), /缺少证据 I-1 的第 4 条保管记录/);
  assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
  await page.locator("#lang").focus();
  await page.keyboard.press("Enter");
  assert.equal(await page.locator("h1").innerText(), "Check sealed evidence");
  assert.match(await page.locator("#problems").innerText(), /Custody entry 4 of item I-1 is missing/);
  assert.deepEqual(said, []);
  await close();
});

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1000, 390]) {
    test(`axe finds nothing in ${colorScheme} at ${width} px, and nothing scrolls sideways`, async () => {
      const { page, choose, close } = await open({ colorScheme, viewport: { width, height: 900 } }, [{ path: axe }]);
      for (const name of [null, "good.zip", "dropped.zip"]) {
        if (name) await choose(name);
        const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
        assert.deepEqual(found.violations.map((v) => `${name}: ${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`), []);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= width);
      }
      await close();
    });
  }
}

test("the keyboard reaches every control and shows where it is", async () => {
  const { page, close } = await open();
  const seen = [];
  for (let i = 0; i < 8; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => { const e = document.activeElement, s = getComputedStyle(e); return { id: e.id, outline: s.outlineStyle !== "none" }; });
    if (at.id && !seen.includes(at.id)) { seen.push(at.id); assert.ok(at.outline, at.id); }
  }
  assert.deepEqual(seen, ["lang", "zip", "folder", "key"]);
  await close();
});

test("the policy lets no other script run", async () => {
  const { page, close } = await open();
  const ran = await page.evaluate(async () => {
    const s = document.createElement("script");
    s.textContent = "window.ran = true";
    document.body.append(s);
    await new Promise((done) => setTimeout(done, 100));
    return window.ran === true;
  });
  assert.equal(ran, false);
  await close();
});
