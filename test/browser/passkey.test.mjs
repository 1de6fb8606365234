// A person who was added on the command line signs in with a one-time password, changes
// it, adds a passkey, and from then on signs in with that.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, until } from "./demo.mjs";

const bin = process.env.BONAFIDE_BIN;
let browser, server, url, dir, oneTime;
before(async () => {
  dir = mkdtempSync(join(tmpdir(), "bonafide-passkey-"));
  const port = await new Promise((resolve) => {
    const s = createServer().listen(0, "127.0.0.1", () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });
  url = `http://localhost:${port}`;
  server = spawn(bin, ["serve", "--data", join(dir, "data"), "--listen", `127.0.0.1:${port}`, "--public-url", url, "--log-level", "warn"], { stdio: ["ignore", "ignore", "inherit"] });
  await until("the service answers", 20, () => fetch(`${url}/healthz`).then((r) => r.ok, () => false));
  const said = execFileSync(bin, ["person", "add", "tess@lender.example", "--name", "Tess Ter", "--role", "handler", "--data", join(dir, "data")], { encoding: "utf8" });
  oneTime = said.match(/\S*\d\S{10,}|[\w-]{14,}/g).at(-1);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.kill("SIGINT");
  rmSync(dir, { recursive: true, force: true });
});

test("a one-time password, then a passkey", { timeout: 60_000 }, async () => {
  const context = await browser.newContext({ locale: "en-GB" });
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  await cdp.send("WebAuthn.addVirtualAuthenticator", { options: {
    protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
  await page.goto(`${url}/sign-in`);
  await page.fill("#login", "tess@lender.example");
  await page.fill("#password", oneTime);
  await page.click("button.go");
  await page.waitForURL(/\/me/);
  // Nothing else can be done before the password is one's own.
  await page.goto(`${url}/inbox`);
  assert.match(page.url(), /\/me/);
  const mine = "quiet harbour lantern 7";
  await page.fill("#old", oneTime);
  await page.fill("#new", mine);
  await page.fill("#again", mine);
  await page.click("form[action='/me'] button");
  await page.waitForURL(/done=password/);
  await page.fill("#passkey-name", "laptop");
  await page.click("[data-passkey=add]");
  await page.waitForURL(/done=passkey/);
  assert.match(await page.textContent("main"), /laptop/);
  await page.locator(".me summary").click();
  await page.locator("form[action='/sign-out'] button").click();
  await page.waitForURL(/\/sign-in/);
  await page.click("[data-passkey=sign-in]");
  await page.waitForURL(/\/inbox/);
  assert.match(await page.textContent("header"), /Tess Ter/);
  await context.close();
});
