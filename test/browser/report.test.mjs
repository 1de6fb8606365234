// Opens the page that `bonafide scan --report` wrote, named by BONAFIDE_REPORT,
// and checks what only a browser can tell.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const file = process.env.BONAFIDE_REPORT;
if (!file) throw new Error("BONAFIDE_REPORT is not set: give it the path of a page that bonafide scan --report wrote");
if (!existsSync(file)) throw new Error(`BONAFIDE_REPORT: no file ${file}`);
const url = pathToFileURL(resolve(file)).href;

let browser;
before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.BONAFIDE_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
});
after(() => browser?.close());

// open loads the page and records what it says and asks for.
async function open(options = {}, { script } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  if (script) await context.addInitScript({ path: script });
  const page = await context.newPage();
  const said = [], asked = [];
  page.on("console", (m) => said.push(`${m.type()}: ${m.text()}`));
  page.on("pageerror", (e) => said.push(`error: ${e.message}`));
  page.on("request", (r) => { if (r.url() !== url) asked.push(r.url()); });
  await page.goto(url);
  return { page, said, asked, close: () => context.close() };
}

// violations runs axe with everything closed and with everything open.
async function violations(page) {
  const out = [];
  for (const state of ["closed", "open"]) {
    if (state === "open") await page.evaluate(() => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
    const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    for (const v of found.violations) {
      out.push(`${state}: ${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map((n) => `${n.target.join(" ")}: ${n.failureSummary}`).join(" | ")}`);
    }
  }
  return out;
}

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1280, 360]) {
    test(`axe finds nothing in ${colorScheme} at ${width} px`, async () => {
      const { page, close } = await open({ colorScheme, viewport: { width, height: 900 } }, { script: axe });
      assert.deepEqual(await violations(page), []);
      await close();
    });
  }
}

test("light and dark differ", async () => {
  const paper = [];
  for (const colorScheme of ["light", "dark"]) {
    const { page, close } = await open({ colorScheme });
    paper.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
    await close();
  }
  assert.notEqual(paper[0], paper[1]);
});

test("nothing is asked of a network and the console stays silent", async () => {
  const { page, said, asked, close } = await open();
  await page.getByRole("button", { name: "Open all" }).click();
  const filter = page.getByRole("searchbox");
  if (await filter.count()) {
    await filter.fill("level 2");
    await filter.fill("");
  }
  await page.waitForTimeout(200);
  assert.deepEqual(asked, []);
  assert.deepEqual(said, []);
  await close();
});

test("the policy lets no other script run", async () => {
  const { page, close } = await open();
  const ran = await page.evaluate(async () => {
    const s = document.createElement("script");
    s.textContent = "window.ran = true";
    document.body.append(s);
    const img = document.createElement("img");
    img.setAttribute("onerror", "window.ran = true");
    img.src = "https://example.invalid/x.png";
    document.body.append(img);
    await new Promise((done) => setTimeout(done, 100));
    return window.ran === true;
  });
  assert.equal(ran, false);
  await close();
});

for (const width of [360, 768, 1280]) {
  test(`the page does not scroll sideways at ${width} px`, async () => {
    const { page, close } = await open({ viewport: { width, height: 900 } });
    for (const state of ["closed", "open"]) {
      if (state === "open") await page.getByRole("button", { name: "Open all" }).click();
      const got = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(got <= width, `${state}: ${got} px wide`);
    }
    await close();
  });
}

test("what scrolls can be reached by keyboard", async () => {
  const { page, close } = await open({ viewport: { width: 360, height: 900 } });
  const lost = await page.evaluate(() => {
    document.querySelectorAll("details").forEach((d) => { d.open = true; });
    return [...document.querySelectorAll("main *")].filter((e) => /auto|scroll/.test(getComputedStyle(e).overflowX)
      && e.scrollWidth > e.clientWidth + 1 && e.tabIndex < 0).map((e) => e.outerHTML.slice(0, 100));
  });
  assert.deepEqual(lost, []);
  await close();
});

test("the keyboard reaches every link, details and region, in order, and shows where it is", async () => {
  const { page, close } = await open();
  const want = await page.evaluate(() => {
    const all = [...document.querySelectorAll("a[href], summary, button, input, [tabindex='0']")]
      .filter((e) => e.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true }));
    all.forEach((e, i) => { e.dataset.stop = String(i); });
    return all.length;
  });
  const seen = [], faint = [];
  for (let i = 0; i < want + 20 && seen.length < want; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const e = document.activeElement;
      const s = getComputedStyle(e);
      return { stop: e.dataset.stop, outline: s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0, html: e.outerHTML.slice(0, 80) };
    });
    if (at.stop === undefined) continue;
    seen.push(Number(at.stop));
    if (!at.outline) faint.push(at.html);
  }
  assert.deepEqual(seen, [...Array(want).keys()]);
  assert.deepEqual(faint, []);
  const first = page.locator("summary").first();
  if (await first.count()) {
    await first.focus();
    await page.keyboard.press("Enter");
    assert.equal(await first.evaluate((e) => e.parentElement.open), true);
  }
  await close();
});

test("the skip link leads to the report", async () => {
  const { page, close } = await open();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await close();
});

test("headings go down one step at a time", async () => {
  const { page, close } = await open();
  const levels = await page.evaluate(() => [...document.querySelectorAll("h1,h2,h3,h4,h5,h6")].map((h) => Number(h.tagName[1])));
  assert.equal(levels[0], 1);
  assert.equal(levels.filter((l) => l === 1).length, 1);
  levels.forEach((l, i) => assert.ok(i === 0 || l <= levels[i - 1] + 1, `heading ${i}: h${l} after h${levels[i - 1]}`));
  await close();
});

test("paper shows what is closed, on white", async () => {
  for (const javaScriptEnabled of [true, false]) {
    const { page, close } = await open({ colorScheme: "dark", javaScriptEnabled });
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    const all = page.locator("details > :not(summary)");
    for (let i = 0; i < await all.count(); i++) {
      const box = await all.nth(i).boundingBox();
      assert.ok(box && box.height > 0, `script ${javaScriptEnabled}: details content ${i} is not on paper`);
    }
    const body = page.locator("body");
    assert.equal(await body.evaluate((e) => getComputedStyle(e).backgroundColor), "rgb(255, 255, 255)");
    assert.ok((await page.pdf({ format: "A4" })).length > 1000);
    await close();
  }
});

test("the page works without JavaScript", async () => {
  const { page, said, close } = await open({ javaScriptEnabled: false });
  assert.deepEqual(said.filter((s) => !/script/i.test(s)), []);
  assert.equal(await page.getByRole("button").count(), 0, "a button that does nothing is shown");
  assert.equal(await page.getByRole("searchbox").count(), 0, "a filter that does nothing is shown");
  for (const id of ["figures", "rings", "letters", "complaints", "limits", "words"]) {
    assert.ok(await page.locator(`#${id}`).isVisible(), id);
  }
  const first = page.locator("summary").first();
  if (await first.count()) {
    await first.click();
    assert.ok(await page.locator("details").first().locator(":scope > :not(summary)").first().isVisible());
  }
  await close();
});

test("the filter shows the rows with a word, and Escape shows all again", async (t) => {
  const { page, close } = await open();
  if (await page.locator("#rows").count() === 0) {
    await close();
    return t.skip("no complaint in this report");
  }
  const rows = page.locator("#rows tbody tr");
  const all = await rows.count();
  await page.keyboard.press("/");
  const id = await rows.last().locator("th").innerText();
  await page.keyboard.type(id);
  assert.ok(await page.locator("#rows tbody tr:visible").count() >= 1);
  assert.match(await page.locator("#filter-count").innerText(), new RegExp(`of ${all} rows`));
  for (const text of await page.locator("#rows tbody tr:visible").allInnerTexts()) assert.ok(text.includes(id));
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#rows tbody tr:visible").count(), all);
  await close();
});
