// Opens the pages of a console in a browser and prints how long each takes until it is
// loaded: node bench/pages/browser.mjs URL LOGIN PASSWORD PATH…
import { chromium } from "playwright-core";

const [base, login, password, ...paths] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.BONAFIDE_CHROMIUM ?? "/usr/bin/chromium", args: ["--headless", "--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
await page.goto(`${base}/sign-in`);
await page.fill("#login", login);
await page.fill("#password", password);
await page.click("button.go");
await page.waitForSelector("body[data-signed-in]");
for (const path of paths) {
  const took = [];
  for (let i = 0; i < 7; i++) {
    await page.goto(base + path, { waitUntil: "load" });
    took.push(await page.evaluate(() => performance.getEntriesByType("navigation")[0].loadEventEnd));
  }
  took.sort((a, b) => a - b);
  console.log(`${path}: median ${took[3].toFixed(0)} ms, longest ${took[6].toFixed(0)} ms`);
}
await browser.close();
