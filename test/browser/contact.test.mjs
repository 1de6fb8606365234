// Speaks with customers in the real browser: every script to each of its ends, by keyboard,
// with what follows on the complaint; a question that is answered once over its link; and
// the pages around it for accessibility.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { check, launch, signIn, start, until } from "./demo.mjs";

const cases = JSON.parse(execFileSync(process.env.BONAFIDE_BIN, ["script", "cases"], { encoding: "utf8" }));

let browser, demo, url, outboxes;
const folders = () => readdirSync(tmpdir()).filter((n) => n.startsWith("bonafide-demo-"));
before(async () => {
  const there = new Set(folders());
  demo = await start("--every", "60s", "--size", "300");
  outboxes = folders().filter((n) => !there.has(n)).map((n) => join(tmpdir(), n, "data", "outbox"));
  url = demo.url;
  browser = await launch();
});
after(async () => {
  await browser?.close();
  demo?.stop();
});

const api = async (path, body) => {
  const r = await fetch(url + path, {
    method: body ? "POST" : "GET",
    headers: { Authorization: `Bearer ${demo.key}`, ...(body && { "Content-Type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  const text = await r.text();
  assert.ok(r.ok, `${path}: ${r.status} ${text}`);
  return text ? JSON.parse(text) : {};
};

// What can be made known of the complaint of a case. A threat made before is left to cases
// that need none.
const can = new Set(["tagged", "representative", "white_path", "confirmed", "vulnerable", "complaint", "customer"]);
const simple = (c) => Object.keys(c.known).every((k) => can.has(k));

// chosen is one case for each end of each script: the one that needs least.
const chosen = () => {
  const costs = (c) => (simple(c) ? 0 : 1000) + 100 * Object.keys(c.known).length + c.answers.length;
  const by = new Map();
  for (const c of cases) {
    const key = `${c.script}/${c.end}`;
    const best = by.get(key);
    if (!best || costs(c) < costs(best)) by.set(key, c);
  }
  return [...by.values()];
};

let n = 0;
async function complaintFor(c) {
  const id = `TALK-${++n}`;
  const k = c.known;
  await api("/v1/complaints", {
    received: new Date().toISOString(),
    id, text: `Letter ${n}: the branch in ${String.fromCharCode(65 + (n % 26))}ville could not tell me why my card was declined on the ${n}th try, and I ask for an answer.`,
    lang: "en", channel: "hotline",
    customer: { ref: `talk-${n}`, ...(k.vulnerable && { vulnerable: "illness" }) },
    ...((k.representative || k.confirmed || k.white_path) && { representative: { type: k.white_path ? "family" : "unknown", ...(k.confirmed && { confirmed: true }) } }),
  });
  if (k.tagged) {
    await api("/v1/tags", { complaint: id, reason: "ask who is calling", expires: new Date(Date.now() + 864e5).toISOString() });
  }
  return id;
}

// begin starts a conversation on the page of a complaint.
async function begin(page, id, c) {
  await page.goto(`${url}/complaints/${id}`, { waitUntil: "domcontentloaded" });
  await page.locator("#do-talk summary").click();
  await page.selectOption("#script", c.script);
  if (c.needs_known) await page.locator("#do-talk input[name=known]").check();
  await page.locator("#do-talk form button").click();
  await page.waitForURL(/\/contacts\/[^/]+/, { waitUntil: "domcontentloaded" });
}

const told = (e) => [
  ...["identity", "purpose", "authority", "vulnerability"].filter((f) => e[f]).map((f) => `${f}:${e[f]}`),
  ...(e.facts ?? []).map((f) => `fact:${f}`),
].sort();
const attributes = (page, name) => page.locator(`[${name}]`).evaluateAll((all, name) => all.map((el) => el.getAttribute(name)), name);

const moved = (page, act) => Promise.all([page.waitForNavigation({ waitUntil: "domcontentloaded" }), act()]);

// play drives one case by its keys from the page of a complaint to its end and back.
async function play(page, c) {
  const what = `${c.script}, ${c.name}`;
  assert.ok(simple(c), `${what}: needs ${Object.keys(c.known)}`);
  const id = await complaintFor(c);
  await begin(page, id, c);
  for (const a of c.answers) {
    assert.equal(await page.locator("[data-step]").getAttribute("data-step"), a.step, what);
    await moved(page, () => page.keyboard.press(a.key));
  }
  assert.equal(await page.locator("[data-player] [data-end]").getAttribute("data-end"), c.end, what);
  assert.equal(await page.locator("[data-vulnerable]").count(), c.vulnerable ? 1 : 0, `${what}: the notice`);
  assert.deepEqual((await attributes(page, "data-told")).sort(), told(c.established), what);
  assert.deepEqual((await attributes(page, "data-signal")).sort(), (c.signals ?? []).toSorted(), what);
  await moved(page, () => page.keyboard.press("f"));
  assert.equal(await page.locator("[data-state]").getAttribute("data-state"), "ended", what);
  assert.equal(await page.locator("[data-end]").getAttribute("data-end"), c.end, what);
  assert.equal(await page.locator("[data-player]").count(), 0, `${what}: it can be answered on`);
  assert.equal(await page.locator("[data-vulnerable]").count(), c.vulnerable ? 1 : 0, `${what}: the notice of the record`);
  // A flag for a trained person is added as it ends; all else is as it was said.
  const said = (all) => all.filter((x) => !x.startsWith("vulnerability:")).sort();
  assert.deepEqual(said(await attributes(page, "data-told")), said(told(c.established)), `${what}: record`);

  await page.goto(`${url}/complaints/${id}`, { waitUntil: "domcontentloaded" });
  assert.equal(await page.locator(`[data-talk="${c.script}"][data-talk-end="${c.end}"]`).count(), 1, `${what}: no record on the complaint`);
  assert.deepEqual((await attributes(page, "data-task")).sort(), (c.verify ?? []).toSorted(), `${what}: tasks`);
  const want = { register: "registered", "check-authority": "authority" }[c.track] ?? "received";
  assert.equal(await page.locator("[data-track]").getAttribute("data-track"), want, `${what}: track`);
}

test("every script to each of its ends", { timeout: 180_000 }, async () => {
  const all = chosen();
  const scripts = new Set(cases.map((c) => c.script));
  assert.ok(scripts.size >= 8 && all.length >= 35, `${scripts.size} scripts, ${all.length} ends`);
  // Two people lead them side by side.
  await Promise.all(["handler", "investigator"].map(async (login) => {
    const page = await signIn(browser, url, login);
    for (let c = all.pop(); c; c = all.pop()) await play(page, c);
    assert.deepEqual(page.said, []);
    await page.context().close();
  }));
});

test("a note, a step back, another language, broken off", { timeout: 60_000 }, async () => {
  const page = await signIn(browser, url, "handler");
  const c = cases.find((x) => x.script === "incoming" && x.end === "registered" && simple(x));
  const id = await complaintFor(c);
  await begin(page, id, c);
  // Keys type while a field has the focus.
  await page.locator("#note").click();
  await page.keyboard.type(c.answers[0].key + "b f");
  assert.equal(await page.locator("[data-step]").getAttribute("data-step"), c.answers[0].step);
  assert.equal(await page.inputValue("#note"), c.answers[0].key + "b f");
  await page.locator("#note").fill("<b>said in their own words</b>");
  await Promise.all([page.waitForNavigation(), page.locator(`button[value="${c.answers[0].choice}"]`).click()]);
  assert.match(await page.textContent(".history"), /<b>said in their own words<\/b>/);
  assert.equal(await page.locator("[data-step]").getAttribute("data-step"), c.answers[1].step);
  await Promise.all([page.waitForNavigation(), page.locator("[data-player] nav a[lang=pt-BR]").click()]);
  assert.equal(await page.locator(".say").getAttribute("lang"), "pt-BR");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("b")]);
  assert.equal(await page.locator("[data-step]").getAttribute("data-step"), c.answers[0].step);
  assert.equal(await page.locator(".say").getAttribute("lang"), "pt-BR", "the language is forgotten");
  await Promise.all([page.waitForNavigation(), page.locator("[data-player] .acts button").last().click()]);
  assert.equal(await page.locator("[data-state]").getAttribute("data-state"), "broken-off");
  await page.goto(`${url}/complaints/${id}`);
  assert.equal(await page.locator("[data-track]").getAttribute("data-track"), "received");
  assert.deepEqual(page.said, []);
  await page.context().close();
});

// outbox reads the newest message.
const outbox = () => {
  const files = outboxes.flatMap((dir) => {
    try {
      return readdirSync(dir).filter((f) => f.endsWith(".json")).map((f) => join(dir, f));
    } catch {
      return [];
    }
  });
  return files.map((f) => JSON.parse(readFileSync(f, "utf8")));
};

let task, asked;
test("a question that is answered once", { timeout: 60_000 }, async () => {
  await api("/v1/customers", { ref: "asked-1", name: "Dora Quill", phone: "+447700900321", email: "dora@quill.example" });
  asked = "ASKED-1";
  await api("/v1/complaints", {
    received: new Date().toISOString(),
    id: asked, text: "The fee for my card was raised and nobody wrote to me. Answer me at dora@quill.example, please.", lang: "pt", channel: "email",
    customer: { ref: "asked-1", name: "Dora Quill", phone: "+447700900321", email: "dora@quill.example" },
  });
  const page = await signIn(browser, url, "handler");
  await page.goto(`${url}/complaints/${asked}`);
  await page.locator("#do-verify summary").click();
  await page.fill("#task-reason", "The letter does not say who wrote it.");
  await page.locator("#do-verify form button").click();
  await page.waitForURL(/\/verifications\//);
  task = page.url().replace(/\?.*/, "");
  assert.equal(await page.locator("[data-way=registered-phone]").count(), 1);
  assert.match(await page.textContent("[data-way=registered-phone]"), /900321/);
  assert.equal(await page.locator("[data-left=registered-email]").count(), 1, "a mailbox that came with the complaint is offered");
  assert.ok(!(await page.content()).includes("dora@quill.example"), "its value is shown");
  assert.equal(await page.inputValue("#ask-lang"), "pt-BR");
  await page.locator("form[action$='/ask'] button").click();
  await page.waitForSelector(".done");
  const message = await until("the message", 5, () => outbox().find((m) => m.to.includes("900321")));
  assert.equal(message.lang, "pt-BR");
  assert.ok(!/Dora|Quill|fee|card/.test(message.subject + message.text), `the message names somebody: ${message.text}`);
  const link = url + message.text.match(/\/confirm\/[\w-]+/)[0];

  const context = await browser.newContext({ locale: "zh-CN", viewport: { width: 390, height: 844 } });
  const customer = await context.newPage();
  const first = await customer.goto(link);
  assert.equal(first.status(), 200);
  assert.equal(first.headers()["referrer-policy"], "no-referrer");
  assert.match(first.headers()["cache-control"], /no-store/);
  assert.equal(await customer.locator("html").getAttribute("lang"), "zh-CN");
  assert.equal(await customer.locator("nav, header").count(), 0);
  await check(customer, "question, phone, zh");
  await customer.emulateMedia({ colorScheme: "dark" });
  await check(customer, "question, dark");
  await customer.locator("a[lang=en]").click();
  assert.match(await customer.textContent("main"), /Did you file it yourself/);
  assert.ok(!/Dora|Quill|raised/.test(await customer.textContent("body")), "the page names somebody");
  await customer.locator("button[value=yes]").click();
  await customer.waitForSelector("h1");
  assert.match(await customer.textContent("main"), /goes on whatever you answered/);
  await check(customer, "thanks");
  const second = await customer.goto(link);
  assert.equal(second.status(), 404);
  const used = await customer.textContent("main");
  await check(customer, "gone");
  const never = await customer.goto(`${url}/confirm/${"x".repeat(43)}`);
  assert.equal(never.status(), 404);
  assert.equal(await customer.textContent("main"), used, "a link that never was is told apart");
  await context.close();

  await page.goto(task);
  assert.match(await page.textContent(".history"), /answered by the link: yes/);
  await page.locator("input[name=outcome][value=confirmed]").check();
  await page.fill("#finding", "She wrote it herself.");
  await page.getByRole("button", { name: "Sign what was found" }).click();
  await page.waitForSelector("[data-outcome=confirmed]");
  assert.deepEqual(page.said, []);
  await page.context().close();
});

test("material is asked for once, and what is held is struck off", { timeout: 60_000 }, async () => {
  const page = await signIn(browser, url, "handler");
  await page.goto(`${url}/complaints/${asked}/material`);
  assert.equal(await page.locator("pre.sheet").getAttribute("lang"), "pt-BR");
  assert.equal(await page.locator("[data-item=contact] s").count() + await page.locator("[data-item]:has(s)").count() > 0, true, "nothing is struck off");
  await page.locator("fieldset input[name=item]").first().check();
  await page.getByRole("button", { name: "Ask for what is ticked" }).click();
  await page.waitForSelector(".done");
  await page.locator("button[value=receive]").first().click();
  await page.waitForSelector(".done");
  assert.match(await page.textContent("main"), /received on/);
  assert.deepEqual(page.said, []);
  await page.context().close();
});

for (const [name, options] of Object.entries({
  light: {}, dark: { colorScheme: "dark" }, phone: { viewport: { width: 390, height: 844 } }, chinese: { locale: "zh-CN" },
})) {
  test(`pages are accessible: ${name}`, { timeout: 60_000 }, async () => {
    const page = await signIn(browser, url, "handler", options);
    const c = cases.find((x) => x.script === "recruited" && x.vulnerable && simple(x));
    const id = await complaintFor(c);
    await api(`/v1/complaints`, { id: `OPEN-${n}`, received: new Date().toISOString(), text: `I ask for the contract of loan number ${n}.`, customer: { ref: `open-${n}` } });
    await begin(page, id, c);
    const at = page.url();
    await check(page, `player, ${name}`);
    for (const a of c.answers) await Promise.all([page.waitForNavigation(), page.keyboard.press(a.key)]);
    await check(page, `end, ${name}`);
    await Promise.all([page.waitForNavigation(), page.keyboard.press("f")]);
    await check(page, `record, ${name}`);
    await page.goto(`${url}/complaints/OPEN-${n}`);
    await page.locator("#do-verify summary").click();
    await page.fill("#task-reason", "x");
    await page.locator("#do-verify form button").click();
    await page.waitForURL(/\/verifications\//);
    for (const path of [page.url(), task, at, `${url}/contacts`, `${url}/contacts/new`, `${url}/complaints/${asked}/material`, `${url}/complaints/${id}`, `${url}/incidents`]) {
      await page.goto(path);
      await check(page, `${path}, ${name}`);
      assert.equal(await page.locator("text=⟦").count(), 0, `${path}, ${name}: a word that the catalogue lacks`);
    }
    assert.deepEqual(page.said, [], name);
    await page.context().close();
  });
}

test("a blind audit shows the letter and nothing that is suspected", { timeout: 60_000 }, async () => {
  const page = await signIn(browser, url, "reviewer");
  await page.goto(`${url}/audits`);
  await page.fill("#number", "4");
  await page.click('form[action="/audits/draw"] button');
  await page.waitForSelector('main a[href^="/audits/"]');
  const waiting = await page.locator('main a[href^="/audits/"]').count();
  assert.ok(waiting >= 4, `${waiting} cases wait`);
  await page.locator('main a[href^="/audits/"]').first().click();
  await page.waitForSelector('input[name="judgement"]');
  await check(page, "a case");
  const said = await page.locator("main").innerText();
  assert.doesNotMatch(said, /C-\d{5,}|[Ll]evel [12]|[Pp]roposed|1 ring/);
  await page.check('input[value="genuine"]');
  await page.fill("#reason", "a story of their own");
  await page.click("main form button.go");
  await page.waitForSelector(".done");
  assert.equal(await page.locator('main a[href^="/audits/"]').count(), waiting - 1);
  await page.goto(`${url}/learning`);
  await check(page, "learning");
  assert.deepEqual(page.said, []);
  await page.context().close();
});
