// Work that takes a while: a file with bad rows is read and its rows mended; a policy is
// changed, tried on what is there beside today's, and put in force by two people.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { check, launch, signIn, start, until } from "./demo.mjs";

let browser, demo, url;
before(async () => {
  demo = await start("--every", "20s", "--size", "400");
  url = demo.url;
  browser = await launch();
});
after(async () => {
  await browser?.close();
  demo?.stop();
});

const csv = `complaint_no,date,complaint,customer_name,phone,channel
IMP-1,2026-11-02,I was charged a fee twice and nobody answers my letters about it.,Ann Vale,+44 7700 900001,letter
IMP-2,30 February 2026,They called my mother at night although I asked them to stop calling her.,Cyd Moor,+44 7700 900003,hotline
=IMP-3,2026-11-05,=HYPERLINK("http://evil.example") is what my bank's letter said.,"<b>Dee</b> Lane",+44 7700 900004,email
IMP-4,not a date,Nobody told me that the rate would go up to eleven percent in May.,Eve Nash,+44 7700 900005,email
`;

test("a file with bad rows", { timeout: 90_000 }, async () => {
  const page = await signIn(browser, url, "handler");
  await page.goto(`${url}/import`);
  await page.setInputFiles("input[type=file]", { name: "export.csv", mimeType: "text/csv", buffer: Buffer.from(csv) });
  await page.waitForURL(/\/import\/./);
  await check(page, "mapping");
  const main = await page.textContent("main");
  assert.ok(!main.includes("Ann Vale") && !main.includes("900001"), "the preview shows who it is");
  assert.match(main, /2 of them would be set aside/);
  await page.getByRole("button", { name: "Start the import" }).click();
  // The page renews itself until the file is read.
  await page.waitForFunction(() => document.querySelector("main a[href^='/quarantine']"), null, { timeout: 20_000 });
  await check(page, "import");
  await page.goto(`${url}/quarantine`);
  assert.equal(await page.locator("tbody tr").count(), 2);
  await check(page, "quarantine");
  const list = await page.textContent("main");
  assert.ok(!list.includes("Cyd Moor") && !list.includes("mother"), "the list shows what is in a row");
  await page.locator("tbody tr a").first().click();
  await check(page, "row");
  const date = page.getByLabel(/date/i).first();
  assert.equal(await date.inputValue(), "30 February 2026");
  await date.fill("still no date");
  await page.getByRole("button", { name: /Hand it in/ }).click();
  assert.equal(await page.getByLabel(/date/i).first().inputValue(), "still no date", "what was typed is lost");
  await page.getByLabel(/date/i).first().fill("2026-11-03");
  await page.getByRole("button", { name: /Hand it in/ }).click();
  await page.waitForSelector(".done");
  await page.goto(`${url}/complaints/IMP-2`);
  assert.match(await page.textContent("main"), /They called my mother at night/);
  await page.goto(`${url}/quarantine`);
  await page.locator("tbody tr a").first().click();
  await page.locator("input[name=reason]").first().check();
  await page.getByRole("button", { name: /Drop/ }).click();
  await page.waitForSelector(".done");
  assert.equal(await page.locator("tbody tr").count(), 0);
  // The wrong file says what is wrong with it.
  await page.goto(`${url}/import`);
  await page.setInputFiles("input[type=file]", { name: "scan.pdf", mimeType: "application/pdf", buffer: Buffer.from([0x25, 0x50, 0x44, 0x46, 0, 1, 2, 0, 255, 254, 0, 0]) });
  await page.waitForSelector(".problem");
  await check(page, "wrong file");
  assert.deepEqual(page.said, []);
});

test("a policy, back-tested and put in force by two", { timeout: 120_000 }, async () => {
  const page = await signIn(browser, url, "compliance");
  await page.goto(`${url}/policy`);
  await page.locator("form[action='/policy/copy'] input[name=name]").fill("Ours");
  await page.locator("form[action='/policy/copy'] button").click();
  await page.waitForURL(/\/policy\/./);
  await check(page, "draft");
  const at = page.url().replace(/\?.*/, "");
  const text = await page.inputValue("#text");
  // A policy that cannot be read is not saved, and nothing typed is lost.
  await page.fill("#text", text.replace("when = ", "wenn = "));
  await page.click("form[action$='/save'] button");
  await page.waitForSelector(".problem");
  assert.match(await page.inputValue("#text"), /wenn = /);
  // Illegal agency asks for information only.
  const lowered = text.replace(/(id = "K06"[\s\S]*?level = )"level-2"/, '$1"information"');
  assert.notEqual(lowered, text);
  await page.fill("#text", lowered);
  await page.click("form[action$='/save'] button");
  await page.waitForSelector(".done, .problem");
  await page.goto(at);
  assert.equal(await page.locator("form[action$='/approve']").count(), 0, "it can be approved untried");
  await page.click("form[action$='/backtest'] button");
  await until("the comparison", 30, async () => {
    await page.goto(at);
    return (await page.locator("details[id^=changes-]").count()) > 0;
  });
  await page.locator("details[id^=changes-] summary").first().click();
  assert.ok(await page.locator("details[id^=changes-] tbody tr").count() > 0, "nothing changes");
  await check(page, "comparison");
  const approve = async (p) => {
    await p.goto(at);
    await p.fill("form[action$='/approve'] textarea", "The comparison was read over; no honest complaint is graded higher.");
    await p.locator("form[action$='/approve'] button").click();
    await p.waitForSelector(".done, .problem");
  };
  await approve(page);
  await page.goto(at);
  assert.equal(await page.locator("form[action$='/approve']").count(), 0, "the same person may approve twice");
  const second = await signIn(browser, url, "second");
  await approve(second);
  await second.goto(`${url}/policy`);
  assert.match(await second.textContent("main"), /Ours/);
  // Everything is graded anew by it.
  await until("level 2 is no longer proposed", 40, async () => {
    await second.goto(`${url}/rings`);
    return (await second.locator(".level.level-2").count()) === 0;
  });
  assert.deepEqual(page.said.concat(second.said), []);
});
