// Works on cases in the real browser: from a ring to a judgment and from a complaint to a
// refusal that stands, with what is refused on the way and why; the pack that comes out is
// verified by the command; and the pages for accessibility.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { check, launch, signIn, start, until } from "./demo.mjs";

let browser, demo, url, dir;
before(async () => {
  dir = mkdtempSync(join(tmpdir(), "bonafide-case-"));
  demo = await start("--every", "60s", "--size", "400");
  url = demo.url;
  browser = await launch();
});
after(async () => {
  await browser?.close();
  demo?.stop();
  if (dir) rmSync(dir, { recursive: true, force: true });
});

// A small PDF as a scanner writes it, and one pixel of PNG.
const pdf = Buffer.from("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>endobj\nxref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n0000000052 00000 n \n0000000101 00000 n \ntrailer<</Size 4/Root 1 0 R>>\nstartxref\n164\n%%EOF\n");
const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

const goes = (page, act) => Promise.all([page.waitForNavigation({ waitUntil: "domcontentloaded" }), act()]);
const to = (page, at) => page.goto(at, { waitUntil: "domcontentloaded" });
const isDone = async (page, what) => assert.equal(await page.locator(".done").count(), 1, `${what}: ${await page.textContent("main").then((t) => t.trim().slice(0, 300))}`);

// put fills in the fields of a form by their ids, and sends it.
async function put(page, scope, fields = {}, button = "button") {
  const box = page.locator(scope);
  await box.evaluate((el) => { if (el.tagName === "DETAILS") el.open = true; });
  for (const [field, value] of Object.entries(fields)) {
    const el = page.locator(field);
    const kind = await el.evaluate((e) => (e.type === "file" ? "file" : e.tagName));
    if (kind === "file") await el.setInputFiles(value);
    else if (kind === "SELECT") await el.selectOption(value);
    else await el.fill(value);
  }
  await goes(page, () => box.locator(button).first().click());
}

async function change(page, at, scope, fields, button) {
  await to(page, at);
  await put(page, scope, fields, button);
  await isDone(page, scope);
}

const words = { "#innocent-": "No outage and no public template; two customers were called over known numbers.", "#reason-": "As the papers and the items show.", "#number-": "No. 2026-17" };
async function fillMove(page, m) {
  const box = page.locator(`#do-${m}`);
  await box.evaluate((el) => { el.open = true; });
  for (const [prefix, value] of Object.entries(words)) {
    const el = page.locator(prefix + m);
    if (await el.count()) await el.fill(value);
  }
  return box;
}

// move moves a case, which stands at a stage then.
async function move(page, at, m, stage) {
  await to(page, at);
  const box = await fillMove(page, m);
  await goes(page, () => box.locator("button").click());
  await isDone(page, m);
  assert.equal(await page.locator("[data-stage]").getAttribute("data-stage"), stage, m);
}

// refused looks that a move cannot be made, that the page says what it lacks, and that a form
// sent all the same is refused in the same words.
let refusals = 0;
async function refused(page, at, m, ...says) {
  await to(page, at);
  const box = await fillMove(page, m);
  assert.ok(await box.locator("button").isDisabled(), `${m}: the button is not disabled`);
  const lacks = await box.locator(".lacks li").allTextContents();
  for (const s of says) assert.ok(lacks.some((l) => s.test(l)), `${m}: ${s} is not among ${lacks}`);
  await box.locator("button").evaluate((b) => { b.disabled = false; });
  await goes(page, () => box.locator("button").click());
  assert.deepEqual(await page.locator("ul.lacks li").allTextContents(), lacks, `${m}: other words in the answer`);
  assert.equal(await page.locator("body").getAttribute("data-page"), "error");
  refusals++;
}

// begun begins a case from a page, and returns its address.
async function begun(page, from, title) {
  await to(page, from);
  await goes(page, () => page.locator("[data-cases] a.button").click());
  await page.fill("#title", title);
  await page.fill("#reason", "One hand seems to write for many.");
  await goes(page, () => page.locator("button.go").click());
  await isDone(page, "begin");
  return page.url().replace(/[?#].*/, "");
}

const select = (page, id, label) => page.locator(id).evaluate((el, label) => [...el.options].find((o) => o.textContent.includes(label)).value, label);

// prepared brings a case to where it can be reported.
async function prepared(page, reviewer, at, thorough) {
  await move(page, at, "open", "opened");
  if (thorough) await refused(page, at, "preserve", /works on it/, /way of working/);
  await to(page, at);
  await put(page, "#do-assign", { "#assignee": { label: "Ivo Marchetti" } });
  await isDone(page, "assign");
  await to(page, at);
  await put(page, "#methods .toggles li:nth-child(6)");
  assert.equal(await page.locator("[data-scenario=A6]").count(), 1, "the way of working is not chosen");
  await move(page, at, "preserve", "preserving");
  if (thorough) await refused(page, at, "review", /an item in custody/, /this task done/, /What is to be shown/);
  const about = { "#it-source": "mail archive", "#it-tool": "export 1.2", "#it-place": "head office", "#it-second": "Wanda Witness" };
  await change(page, at, "#do-item", { ...about, "#it-file": { name: "state\u202Efdp.pdf", mimeType: "application/pdf", buffer: pdf } }, "button.go");
  await change(page, at, "#do-item", { ...about, "#it-category": "audio-visual", "#it-file": { name: "<img src=x>.png", mimeType: "image/png", buffer: png } }, "button.go");
  assert.equal(await page.locator("[data-item]").count(), 2);
  assert.match(await page.textContent("#items"), /PDF/i);
  const complaint = await page.locator("#case-complaints option").first().getAttribute("value");
  await change(page, at, "#do-record", { "#rec-complaint": complaint, "#rec-record": "letter", "#rec-second": "Wanda Witness", "#rec-place": "head office" });
  assert.equal(await page.locator("[data-item]").count(), 3);
  for (;;) { // what goes with the way of working
    await to(page, at);
    const open = page.locator("#tasks li[data-open] details");
    if (!(await open.count())) break;
    const id = await open.first().getAttribute("id");
    await put(page, `[id="${id}"]`, { [`[id="${id}-note"]`]: "Done: see the items." });
    await isDone(page, "task");
  }
  for (;;) { // merit nobody looked at
    await to(page, at);
    if (!(await page.locator("#do-merit").count())) break;
    await put(page, "#do-merit", { "#look-text": "Held against the contract and the calls: nothing found against us." });
    await isDone(page, "merit");
  }
  await to(page, at);
  await put(page, "#offences .toggles li:nth-child(2)");
  assert.equal(await page.locator("[data-offence=K02]").count(), 1, "nothing is to be shown");
  await move(page, at, "review", "legal-review");
  if (thorough) await refused(reviewer, at, "prepare", /an exhibit/, /losses/, /organiser/);
  // Whoever asked for the review cannot approve it, and an investigator's role does not either.
  await to(page, at);
  assert.ok(await page.locator("#do-prepare button").count() === 0 || await page.locator("#do-prepare button").isDisabled());
  await change(page, at, "#do-party", { "#party-role": "organiser", "#party-name": "Sunrise Rights", "#party-value-1": "+447911000111", "#party-basis": "The advert names them." });
  await change(page, at, "#do-loss", { "#loss-kind": "waived", "#loss-amount": "1,200.50", "#loss-basis": "Interest of two contracts." });
  assert.match(await page.textContent("#losses"), /1,200\.50 CNY/);
  const elements = await page.locator("#offences [data-element]").evaluateAll((all) => all.map((el) => el.dataset.element));
  assert.equal(elements.length, 4);
  const items = await page.locator("#ex-item option").evaluateAll((all) => all.map((o) => o.value).filter(Boolean));
  for (const [i, e] of elements.entries()) {
    await change(page, at, "#do-exhibit", { "#ex-element": e, ...(i < 3 ? { "#ex-item": items[i] } : { "#ex-note": "Nothing yet: the maker is not known." }) });
  }
  // What the lawyers saw was changed: the case went back, and is asked about again.
  await move(page, at, "review", "legal-review");
  await move(reviewer, at, "prepare", "prepared");
}

async function reported(page, reviewer, at, thorough) {
  if (thorough) await refused(page, at, "report", /sealed pack/, /handed to the police/);
  await to(page, at);
  await put(page, "#do-seal");
  await isDone(page, "seal");
  assert.equal(await page.locator("[data-seal='police 1']").count(), 1);
  await change(page, at, "#do-handover", { "#ho-to": "police", "#ho-unit": "Economic crimes unit", "#ho-seal": "police 1", "#ho-receipt": "E-77" });
  await move(page, at, "report", "prepared"); // one person is not two
  assert.match(await page.textContent("#do-report"), /Ivo Marchetti/);
  await to(page, at);
  assert.ok(await page.locator("#do-report button").isDisabled(), "the same person may report it alone");
  await move(reviewer, at, "report", "reported");
}

test("from a ring to a judgment, and from a complaint to a refusal that stands", { timeout: 280_000 }, async () => {
  const page = await signIn(browser, url, "investigator");
  const reviewer = await signIn(browser, url, "reviewer");
  const ring = await until("a ring", 60, async () => {
    await to(page, `${url}/rings`);
    const row = page.locator("tbody tr[data-href]");
    return (await row.count()) && row.first().getAttribute("data-href");
  });
  const at = await begun(page, url + ring, "<b>One letter</b>, many names");
  assert.match(await page.textContent("h1"), /<b>One letter<\/b>/);
  await to(page, url + ring);
  assert.ok(await page.locator(`[data-cases] a[href='${new URL(at).pathname}']`).count(), "the ring does not name its case");
  await prepared(page, reviewer, at, true);
  await reported(page, reviewer, at, true);

  // The pack is one file that anybody can verify.
  await to(page, at);
  await page.locator("#do-pack").evaluate((el) => { el.open = true; });
  const [download] = await Promise.all([page.waitForEvent("download"), page.locator("#do-pack button").click()]);
  const file = join(dir, download.suggestedFilename());
  assert.match(file, /case-\d+-1-police\.zip$/);
  await download.saveAs(file);
  const said = execFileSync(process.env.BONAFIDE_BIN, ["verify", file], { encoding: "utf8" });
  assert.match(said, /sound|verified|ok/i, said);
  // An item comes as a download, with its purpose in its custody.
  await to(page, at);
  await page.locator("#item-1-open").evaluate((el) => { el.open = true; });
  const [original] = await Promise.all([page.waitForEvent("download"), page.locator("#item-1-open form[action$='/read'] button").click()]);
  assert.equal(original.suggestedFilename(), "statefdp.pdf");

  await move(page, at, "receipt", "receipt");
  await move(page, at, "examine", "police-review");
  assert.equal(await page.locator("[data-clock=police-review]").count(), 1);
  await move(page, at, "extend", "police-review");
  await move(page, at, "file", "filed");
  await move(page, at, "investigate", "investigation");
  await move(page, at, "transfer", "procurator");
  await move(page, at, "supplement", "supplement");
  await change(page, at, "#do-request", { "#rq-from": "procurator", "#rq-due": "2030-01-31", "#rq-text": "The bank statements." });
  await move(page, at, "resubmit", "procurator");
  await move(page, at, "indict", "indicted");
  await move(page, at, "judge", "judgment");
  await refused(page, at, "close", /The bank statements/);
  await to(page, at);
  const answer = await page.locator("#requests details[id^=answer-]").getAttribute("id");
  await put(page, `[id="${answer}"]`, { [`[id="${answer}-text"]`]: "Handed over on paper." });
  await isDone(page, "answer");
  await move(page, at, "close", "closed");
  assert.match(await page.textContent(".aside"), /judgment/i);
  await check(page, "case");

  // The other way: the police refuse, and the refusal stands twice.
  await to(page, `${url}/inbox?view=all`);
  const complaint = await page.locator("tbody tr[data-href]").first().getAttribute("data-href");
  const other = await begun(page, url + complaint, "One threat");
  await prepared(page, reviewer, other, false);
  await reported(page, reviewer, other, false);
  await move(page, other, "receipt", "receipt");
  await move(page, other, "examine", "police-review");
  await move(page, other, "refuse", "not-filed");
  await refused(page, other, "reconsider", /notice of the refusal/);
  await move(page, other, "notice", "not-filed");
  await move(page, other, "reconsider", "reconsideration");
  await move(page, other, "uphold", "not-filed");
  await move(page, other, "reconsider", "second-review");
  await move(page, other, "uphold", "not-filed");
  await refused(page, other, "reconsider", /both used/);
  await move(page, other, "close", "closed");
  assert.ok(refusals >= 5, `${refusals} refusals`);
  // The hold is lifted by two.
  for (const [p, hold] of [[page, "true"], [reviewer, "false"]]) {
    await change(p, other, "#do-lift", { "#lift-text": "The case is over." });
    assert.equal(await p.locator("[data-hold]").getAttribute("data-hold"), hold);
  }

  // The month counts both, and each figure opens the cases behind it.
  await to(page, `${url}/month`);
  await check(page, "month");
  const figure = page.locator("[data-figure='exit.judgment'] a");
  assert.equal((await figure.textContent()).trim(), "1");
  await goes(page, () => figure.click());
  assert.equal(await page.locator("tbody tr[data-href]").count(), 1);
  assert.match(await page.textContent("tbody"), /<b>One letter<\/b>/);
  const [sheet] = await Promise.all([page.waitForEvent("download"), to(page, `${url}/month.pdf`).catch(() => {})]);
  assert.match(sheet.suggestedFilename(), /^month-\d{4}-\d\d\.pdf$/);

  // Two cases made one, which a regulator never sees.
  const first = await begun(page, url + ring, "To be merged");
  const second = await begun(page, url + ring, "To stay");
  await to(page, second);
  await put(page, "#do-merge", { "#merge-from": await select(page, "#merge-from", "To be merged"), "#merge-reason": "The same people." });
  await isDone(page, "merge");
  await to(page, first);
  assert.match(await page.textContent(".warn"), /part of another/);
  await check(page, "merged case");

  const regulator = await signIn(browser, url, "regulator");
  await to(regulator, `${url}/month`);
  assert.ok(await regulator.locator("[data-figure]").count() > 10);
  assert.equal(await regulator.locator("[data-figure] a").count(), 0, "a figure leads a regulator to cases");
  assert.equal((await regulator.goto(`${url}/cases`)).status(), 403);
  for (const p of [page, reviewer]) assert.deepEqual(p.said, []);
});

test("adverts, light, dark, small, in Chinese, by keyboard", { timeout: 90_000 }, async () => {
  const page = await signIn(browser, url, "investigator");
  await to(page, `${url}/adverts`);
  await check(page, "adverts");
  await page.fill("#where", "A short video");
  await page.fill("#ad-text", "We write, you wait.");
  await page.fill("#ad-value-1", "+447911000222");
  await goes(page, () => page.locator("form[action='/adverts'] button.go").click());
  assert.match(await page.textContent("tbody"), /447911000222/);
  await goes(page, () => page.locator("tbody a[href^='/cases/new']").first().click());
  await check(page, "begin a case");
  // g e goes to the cases, j and Enter open one.
  await page.keyboard.press("g");
  await goes(page, () => page.keyboard.press("e"));
  await check(page, "cases");
  await page.keyboard.press("j");
  await goes(page, () => page.keyboard.press("Enter"));
  const at = page.url();
  await page.evaluate(() => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
  await check(page, "case, everything open");
  await page.emulateMedia({ colorScheme: "dark" });
  await check(page, "case, dark");
  await page.setViewportSize({ width: 390, height: 844 });
  await check(page, "case, phone");
  for (const path of ["/cases", "/month", "/adverts"]) {
    await to(page, url + path);
    await check(page, `${path}, phone, dark`);
  }
  const zh = await signIn(browser, url, "second", { viewport: { width: 390, height: 844 } });
  await to(zh, `${url}/me`);
  await goes(zh, () => zh.evaluate(() => {
    const form = document.createElement("form");
    form.method = "post";
    form.action = "/speak";
    form.innerHTML = '<input name="lang" value="zh-CN">';
    document.body.append(form);
    form.submit();
  }));
  await to(zh, at);
  assert.equal(await zh.locator("html").getAttribute("lang"), "zh-CN");
  await check(zh, "case, zh, phone");
  assert.match(await zh.textContent("[data-stage]"), /\p{Script=Han}/u);
  assert.deepEqual(page.said.concat(zh.said), []);
});
