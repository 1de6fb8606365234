// Starts `bonafide demo` (the command that BONAFIDE_BIN names) and a browser, for tests.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

export const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const bin = process.env.BONAFIDE_BIN;
if (!bin) throw new Error("BONAFIDE_BIN is not set: give it the path of the bonafide command");

export const password = "made-up-harbour";

// start returns a running demonstration: its address, an API key, and how to end it.
export async function start(...args) {
  const demo = spawn(bin, ["demo", "--listen", "127.0.0.1:0", ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const said = await new Promise((resolve, reject) => {
    let out = "";
    demo.stdout.on("data", (b) => {
      out += b;
      if (out.includes("Ctrl-C")) resolve(out);
    });
    demo.on("exit", (code) => reject(new Error(`demo ended with ${code}: ${out}`)));
  });
  return {
    url: said.match(/http:\/\/127\.0\.0\.1:\d+/)[0],
    key: said.match(/bf_\w+/)[0],
    stop() {
      demo.removeAllListeners("exit");
      demo.kill("SIGINT");
    },
  };
}

export function launch() {
  return chromium.launch({
    executablePath: process.env.BONAFIDE_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

// signIn returns a page of somebody of the demonstration. What the browser complains of
// is kept in page.said, every address and title in page.seen.
export async function signIn(browser, url, login, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, locale: "en-GB", ...options });
  const page = await context.newPage();
  page.said = [];
  page.seen = [];
  page.on("console", (m) => { if (m.type() !== "log" && !/status of 4\d\d/.test(m.text())) page.said.push(`${m.type()}: ${m.text()}`); });
  page.on("pageerror", (e) => page.said.push(`error: ${e.message}`));
  page.on("request", (r) => { if (!r.url().startsWith(url)) page.said.push(`asked elsewhere: ${r.url()}`); });
  page.on("framenavigated", async (f) => {
    if (f === page.mainFrame()) page.seen.push(f.url(), await page.title().catch(() => ""));
  });
  await page.goto(`${url}/sign-in`);
  await page.fill("#login", login);
  await page.fill("#password", password);
  await page.click("button.go");
  await page.waitForSelector("body[data-signed-in]");
  return page;
}

// check runs axe and looks that nothing is wider than the window.
export async function check(page, what) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(await axeSource());
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  assert.deepEqual(found.violations.map((v) => `${v.id}: ${v.nodes[0].target.join(" ")} ${v.nodes[0].failureSummary}`), [], what);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${what}: ${wide} px wider than the window`);
}

let source;
async function axeSource() {
  source ??= (await import("node:fs")).readFileSync(axe, "utf8");
  return source;
}

// until asks again until something is so.
export async function until(what, seconds, ask) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const got = await ask();
    if (got) return got;
    if (Date.now() > end) assert.fail(`not within ${seconds} s: ${what}`);
    await new Promise((r) => setTimeout(r, 250));
  }
}
