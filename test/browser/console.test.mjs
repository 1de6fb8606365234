// Works in the console as its people would: the walk from the inbox to a ring that two
// people confirm, the warning that the front line sees, and the appeal that removes it;
// every page for accessibility; everything once by keyboard alone; and what the browser
// remembers afterwards.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { check, launch, signIn, start, until } from "./demo.mjs";

let browser, demo, url;
before(async () => {
  demo = await start("--every", "300ms", "--size", "300");
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
  assert.ok(r.ok, `${path}: ${r.status}`);
  return r.json();
};

// gravest waits for the ring of level 1 that forms in the demonstration.
const gravest = () => until("a ring of level 1 with four members", 60, async () => {
  const rings = (await Promise.all(["proposed", "confirmed"].map((s) => api(`/v1/rings?state=${s}&limit=100`)))).flatMap((l) => l.items);
  const one = rings.find((r) => r.level === "level-1" && r.size >= 4);
  return one && { id: one.id, members: (await api(`/v1/rings/${one.id}`)).ring.members };
});

const warns = async (complaint) => (await api("/v1/tags/lookup", { complaint, purpose: "incoming call" })).tags;

test("from the inbox to a ring, two people, a warning, an appeal", { timeout: 180_000 }, async () => {
  const ring = await gravest();
  const page = await signIn(browser, url, "investigator");
  assert.match(page.url(), /\/inbox/);
  await page.goto(`${url}/inbox?view=all`);
  assert.ok(await page.locator("tbody tr").count() > 5, "an empty inbox");
  await page.locator("tbody tr a").first().click();
  await page.waitForSelector("#h-letter");
  // The order of justice: letter, merit, what is shared, proposal.
  assert.deepEqual(await page.locator("section h2").evaluateAll((hs) => hs.map((h) => h.id).filter((id) => id.startsWith("h-"))), ["h-letter", "h-merit", "h-contacts", "h-share", "h-prop"]);

  const member = ring.members.at(-1);
  await page.goto(`${url}/complaints/${member}`);
  await page.locator("[data-compare]").click();
  await page.waitForURL(/\/compare/);
  assert.ok(await page.locator(".compare article").count() >= 2);
  assert.ok(await page.locator(".compare mark.shared").count() > 0, "nothing is marked as shared");
  await page.goBack();
  await page.locator("a[data-key=o]").click();
  await page.waitForURL(/\/rings\//);
  assert.ok(await page.locator("svg.picture circle").count() >= 4);
  const decide = async (p) => {
    await p.fill("#innocent", "Called two members over their known numbers: neither knows the others, no law firm is involved.");
    await p.fill("#reason", "One device and one forged paper under several customers.");
    await p.getByRole("button", { name: /Confirm the ring/i }).click();
    await p.waitForLoadState();
  };
  const id = page.url().match(/rings\/([^?#]+)/)[1];
  await decide(page);
  assert.equal((await api(`/v1/rings/${id}`)).state, "proposed", "one person is not two");
  assert.ok(await page.locator("button.accuse").isDisabled(), "the same person may confirm again");

  const second = await signIn(browser, url, "second");
  await second.goto(`${url}/rings/${id}`);
  await decide(second);
  assert.equal((await api(`/v1/rings/${id}`)).state, "confirmed");
  const mark = await second.textContent(".confirmed");
  assert.match(mark, /Ivo Marchetti/);
  assert.match(mark, /Sela Okafor/);

  // The front line is warned, and of the customer too.
  await until("a tag that says confirmed", 20, async () => (await warns(member)).some((t) => /confirmed by a person/.test(t.reason)));

  // The complaint goes its way all the same: it is in the list of those nobody took.
  const handler = await signIn(browser, url, "handler");
  await handler.goto(`${url}/complaints/${member}`);
  await handler.getByRole("button", { name: /^Take/i }).click();
  await handler.waitForSelector(".done");
  await handler.locator("#appeal summary").click();
  await handler.fill("#appeal-reason", "The customer says: I wrote this myself, the phone is my sister's.");
  await handler.getByRole("button", { name: /appeal/i }).last().click();
  await handler.waitForSelector(".done");

  // Who confirmed the ring cannot decide the appeal.
  const involved = await page.goto(`${url}/appeals`);
  assert.equal(involved.status(), 200);
  assert.equal(await page.locator("button[value=upheld]").count(), 0);

  const reviewer = await signIn(browser, url, "reviewer");
  await reviewer.goto(`${url}/appeals`);
  await reviewer.locator("textarea").first().fill("The sister confirmed it over her known number.");
  await reviewer.locator("button[value=upheld]").first().click();
  await reviewer.waitForSelector(".done");
  assert.deepEqual(await warns(member), [], "the front line is still warned");
  await handler.goto(`${url}/complaints/${member}`);
  assert.equal(await handler.locator("#h-prop ~ p .level").count(), 0, "a level is still proposed");
  assert.equal((await api(`/v1/complaints/${member}`)).rings?.length ?? 0, 0);
  // It stays so when everything is joined anew.
  await new Promise((r) => setTimeout(r, 4000));
  assert.deepEqual(await warns(member), []);
  for (const p of [page, second, handler, reviewer]) assert.deepEqual(p.said, [], "the browser complained");
});

const pages = {
  handler: ["/inbox?view=all", "/search", "/help", "/me", "/import", "/quarantine", "/nowhere"],
  investigator: ["/rings", "ring", "complaint", "compare", "/templates", "template", "/appeals"],
  compliance: ["/policy", "/dashboard", "/log", "/log/3", "/audits", "/learning"],
  administrator: ["/admin"],
};

for (const [name, options] of Object.entries({
  light: {}, dark: { colorScheme: "dark" }, phone: { viewport: { width: 390, height: 844 } }, chinese: { locale: "zh-CN" }, portuguese: { locale: "pt-BR" },
})) {
  test(`every page is accessible: ${name}`, { timeout: 240_000 }, async () => {
    const ring = await gravest();
    const templates = await api("/v1/templates?limit=5");
    const at = {
      ring: `/rings/${ring.id}`, complaint: `/complaints/${ring.members[0]}`,
      compare: `/compare?with=${ring.members[0]}&with=${ring.members[1]}&with=${ring.members[2]}`,
      template: `/templates/${templates.items[0].id}`,
    };
    const context = await browser.newContext(options);
    const sign = await context.newPage();
    await sign.goto(`${url}/sign-in`);
    await check(sign, `sign-in, ${name}`);
    await context.close();
    for (const [login, paths] of Object.entries(pages)) {
      const page = await signIn(browser, url, login, options);
      for (const path of paths) {
        await page.goto(url + (at[path] ?? path));
        await check(page, `${path}, ${name}`);
        assert.equal(await page.locator("text=⟦").count(), 0, `${path}, ${name}: a word that the catalogue lacks`);
      }
      assert.deepEqual(page.said, [], `${login}, ${name}`);
      await page.context().close();
    }
  });
}

test("everything by keyboard alone", { timeout: 120_000 }, async () => {
  const ring = await gravest();
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, locale: "en-GB" });
  const page = await context.newPage();
  const keys = page.keyboard;
  await page.goto(`${url}/sign-in`);
  await keys.type("investigator");
  await keys.press("Tab");
  await keys.type("made-up-harbour");
  await keys.press("Enter");
  await page.waitForURL(/\/inbox/);
  await keys.press("?");
  await page.waitForSelector("dialog#keys[open]");
  await keys.press("Escape");
  await page.waitForSelector("dialog#keys[open]", { state: "detached" }).catch(() => {});
  await page.goto(`${url}/inbox?view=all`);
  await keys.press("j");
  await keys.press("j");
  await keys.press("k");
  const want = await page.locator("tr.at").getAttribute("data-href");
  await keys.press("Enter");
  await page.waitForURL(`**${want}`);
  await keys.press("Escape"); // back to the list
  await page.waitForURL(/\/inbox/);
  await keys.press("g");
  await keys.press("r");
  await page.waitForURL(/\/rings/);
  await keys.press("j");
  await keys.press("Enter");
  await page.waitForURL(/\/rings\/./);
  await keys.press("c"); // compare
  await page.waitForURL(/\/compare/);
  await keys.press("/");
  await keys.type(ring.members[0]);
  await keys.press("Enter");
  await page.waitForURL(`**/complaints/${ring.members[0]}`);
  await keys.press("Control+k");
  await page.waitForSelector("dialog#palette[open]");
  await keys.type("figures");
  await keys.press("Enter");
  await page.waitForURL(/\/dashboard/);
  // A complaint handled without a pointer: taken, registered, annotated.
  await page.goto(`${url}/inbox?view=unassigned`);
  await keys.press("j");
  await keys.press("Enter");
  await page.waitForURL(/\/complaints\//);
  await keys.press("t");
  await page.waitForURL(/done=taken/);
  const press = async (name) => {
    await keys.press("Control+k");
    await keys.type(name);
    await keys.press("Enter");
  };
  await press("Register");
  await page.waitForURL(/done=moved/);
  await press("Add a note");
  await page.locator("#do-note summary").focus();
  await page.waitForSelector("#do-note[open]");
  await keys.press("Tab");
  await keys.type("Asked for the contract.");
  await keys.press("Tab");
  await keys.press("Enter");
  await page.waitForFunction(() => document.querySelector(".history")?.textContent.includes("Asked for the contract."));
  await context.close();
});

test("the browser keeps nothing personal", { timeout: 120_000 }, async () => {
  const ring = await gravest();
  const page = await signIn(browser, url, "investigator");
  // What a reveal shows must stand nowhere else.
  await page.goto(`${url}/complaints/${ring.members[0]}`);
  await page.locator("form[action$=reveal] button").click();
  await page.waitForSelector(".revealed dl.facts");
  const personal = (await page.locator(".revealed dl.facts dd").allTextContents()).map((s) => s.trim()).filter((s) => s.length > 4);
  assert.ok(personal.length >= 2, "nothing was revealed");
  assert.match(await page.textContent(".watermark"), /Ivo Marchetti/);
  for (const value of personal) {
    await page.goto(`${url}/search`);
    await page.fill("#q", value);
    await page.getByRole("button", { name: /^Search/i }).last().click();
    await page.waitForLoadState();
  }
  for (const path of ["/inbox?view=all", "/rings", `/rings/${ring.id}`, `/complaints/${ring.members[1]}`, "/templates", "/dashboard", "/help", "/me", `/compare?with=${ring.members[0]}&with=${ring.members[1]}`]) {
    await page.goto(url + path);
    const html = await page.content();
    for (const value of personal) {
      if (/^\p{L}+$/u.test(value)) continue; // a region or a first name is a common word
      assert.ok(!html.includes(value), `${path} shows what is to be masked`);
    }
  }
  const kept = await page.evaluate(async () => ({
    local: localStorage.length, session: sessionStorage.length,
    databases: (await indexedDB.databases()).length, caches: (await caches.keys()).length,
    workers: (await navigator.serviceWorker?.getRegistrations() ?? []).length,
  }).valueOf()).catch(() => page.evaluate(() => ({ local: localStorage.length, session: sessionStorage.length })));
  for (const [where, n] of Object.entries(kept)) assert.equal(n, 0, `something is kept in ${where}`);
  const cookies = await page.context().cookies();
  assert.deepEqual(cookies.map((c) => c.name).filter((n) => n !== "bonafide" && n !== "lang"), []);
  assert.ok(cookies.every((c) => c.httpOnly && c.sameSite === "Lax"), "a cookie that scripts can read");
  for (const value of personal) {
    for (const place of [...page.seen, ...cookies.map((c) => c.value)]) {
      assert.ok(!decodeURIComponent(place).includes(value), `an address, title or cookie holds a personal value`);
    }
  }
  assert.deepEqual(page.said, []);
  await page.context().close();
});
