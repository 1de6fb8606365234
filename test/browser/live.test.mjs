// Starts `bonafide demo` (the command that BONAFIDE_BIN names) and watches its live
// page: a ring forms before the viewer's eyes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axe, launch, start } from "./demo.mjs";

let browser, demo, url;
before(async () => {
  demo = await start("--every", "400ms");
  url = demo.url;
  browser = await launch();
});
after(async () => {
  await browser?.close();
  demo?.stop();
});

test("complaints arrive and a ring forms", { timeout: 90_000 }, async () => {
  const page = await browser.newPage({ viewport: { width: 1320, height: 900 } });
  const said = [];
  page.on("console", (m) => said.push(`${m.type()}: ${m.text()}`));
  page.on("pageerror", (e) => said.push(`error: ${e.message}`));
  await page.goto(`${url}/demo/`);
  await page.waitForFunction(() => document.querySelectorAll("#arrived li").length >= 10);
  const first = await page.textContent("#complaints");
  await page.waitForFunction(() => [...document.querySelectorAll("#events li")].filter((e) => /formed|grew/.test(e.textContent)).length >= 3, null, { timeout: 80_000 });
  await page.waitForFunction((was) => document.querySelector("#complaints").textContent !== was, first);
  assert.ok(await page.locator("#ring svg circle").count() >= 2, "no picture of a ring");
  assert.ok(await page.locator("#ring li").count() >= 3, "no reason why they are linked");
  assert.deepEqual(said, [], "the page said something to the console");
});

test("the page is accessible in light, dark and narrow", { timeout: 60_000 }, async () => {
  for (const options of [{ colorScheme: "light" }, { colorScheme: "dark" }, { viewport: { width: 360, height: 740 } }]) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    await page.goto(`${url}/demo/`);
    await page.waitForFunction(() => document.querySelectorAll("#all tr").length >= 1 && document.querySelector("#ring svg"));
    // The page asks for nothing from elsewhere, so the checker is put in by the driver.
    await page.addInitScript({ path: axe });
    await page.reload();
    await page.waitForFunction(() => document.querySelector("#ring svg"));
    const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    assert.deepEqual(found.violations.map((v) => `${v.id}: ${v.nodes[0].target.join(" ")} ${v.nodes[0].failureSummary}`), [], JSON.stringify(options));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${wide} px wider than the window`);
    await context.close();
  }
});

test("the page keeps nothing in the browser and asks nobody else", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const asked = [];
  page.on("request", (r) => { if (!r.url().startsWith(url)) asked.push(r.url()); });
  await page.goto(`${url}/demo/`);
  await page.waitForFunction(() => document.querySelectorAll("#arrived li").length >= 1);
  const kept = await page.evaluate(() => localStorage.length + sessionStorage.length + document.cookie.length);
  assert.equal(kept, 0);
  assert.deepEqual(asked, []);
  await context.close();
});
