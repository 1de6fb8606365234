// The console's keys, palette, live renewal and small helps. Every page works without it.
// It keeps nothing in the browser: no storage, no cookies, no history entries of its own.

const main = document.getElementById("main");
const signedIn = document.body.hasAttribute("data-signed-in");
const typing = (el) => el && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName));

// Moving through lists: j and k choose a row, Enter opens it.
const rows = () => [...main.querySelectorAll("tr[data-href]")];
let chosen = -1;
function choose(i) {
  const all = rows();
  if (all.length === 0) return;
  all[chosen]?.classList.remove("at");
  chosen = Math.max(0, Math.min(all.length - 1, i));
  const row = all[chosen];
  row.classList.add("at");
  row.querySelector("a")?.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}
main.addEventListener("click", (e) => {
  const row = e.target.closest("tr[data-href]");
  if (!row || e.target.closest("a, button, input, select, label") || getSelection().toString()) return;
  location.href = row.dataset.href;
});

// An answer is sent once, until the page is there anew.
let answered = false;
main.addEventListener("submit", (e) => {
  if (!e.target.closest("[data-player]")) return;
  if (answered) return e.preventDefault();
  answered = true;
});
addEventListener("pageshow", () => { answered = false; });

// g and a letter goes to a page.
let going = 0;
function go(key) {
  const link = document.querySelector(`nav a[data-go="${CSS.escape(key)}"]`);
  if (link) location.href = link.href;
}

addEventListener("keydown", (e) => {
  if (!signedIn) return;
  if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "k") {
    e.preventDefault();
    return openPalette();
  }
  if (e.key === "Escape" && typing(document.activeElement) && !document.querySelector("dialog[open]")) {
    return document.activeElement.blur();
  }
  if (e.ctrlKey || e.metaKey || e.altKey || typing(e.target) || document.querySelector("dialog[open]")) return;
  // In a conversation the keys of the answers come before all others; one press is one answer.
  const answer = main.querySelector(`[data-player] [data-key="${CSS.escape(e.key)}"]`);
  if (answer) {
    e.preventDefault();
    if (!answered && !e.repeat) answer.click();
    return;
  }
  if (Date.now() - going < 1200) {
    going = 0;
    return go(e.key);
  }
  switch (e.key) {
    case "j": return choose(chosen + 1);
    case "k": return choose(chosen - 1);
    case "g": going = Date.now(); return;
    case "?": return document.getElementById("keys").showModal();
    case "/":
      e.preventDefault();
      return document.getElementById("find")?.focus();
    case "Escape": {
      const up = main.querySelector("a[rel=up]");
      if (up) location.href = up.href;
      return;
    }
    default: {
      const act = main.querySelector(`[data-key="${CSS.escape(e.key)}"]`);
      if (act) {
        e.preventDefault();
        if (typing(act)) act.focus();
        else act.click();
      }
    }
  }
});

// The palette: every page and every act of this page by a few letters.
const palette = document.getElementById("palette");
const command = document.getElementById("command");
const commands = document.getElementById("commands");
let found = [];
let at = 0;
function openPalette() {
  command.value = "";
  fill();
  palette.showModal();
}
function fill() {
  const want = command.value.trim().toLowerCase();
  const all = [...document.querySelectorAll("nav a, .me a, main [data-command], main a[data-palette]")].map((el) => ({ el, text: (el.dataset.command || el.textContent).trim() }));
  found = all.filter((c) => c.text.toLowerCase().includes(want));
  at = 0;
  commands.replaceChildren(...found.map((c, i) => {
    const li = document.createElement("li");
    li.id = "command-" + i;
    li.role = "option";
    li.textContent = c.text;
    li.addEventListener("click", () => run(i));
    return li;
  }));
  mark();
}
function mark() {
  [...commands.children].forEach((li, i) => li.setAttribute("aria-selected", String(i === at)));
  if (commands.children[at]) {
    command.setAttribute("aria-activedescendant", "command-" + at);
    commands.children[at].scrollIntoView({ block: "nearest" });
  }
}
function run(i) {
  const c = found[i];
  palette.close();
  if (!c) return;
  if (typing(c.el)) c.el.focus();
  else c.el.click();
}
command?.addEventListener("input", fill);
command?.addEventListener("keydown", (e) => {
  if (e.key === "ArrowDown") at = Math.min(found.length - 1, at + 1);
  else if (e.key === "ArrowUp") at = Math.max(0, at - 1);
  else if (e.key === "Enter") { e.preventDefault(); return run(at); }
  else return;
  e.preventDefault();
  mark();
});
document.querySelectorAll("[data-do=palette]").forEach((b) => {
  b.hidden = false;
  b.addEventListener("click", openPalette);
});

// Live renewal: the server says that something changed, and the page asks for itself.
// Nobody is interrupted: not while a form is being filled in or something is selected.
const live = document.querySelector("[data-live]");
if (signedIn && live && window.EventSource) {
  let waiting = false;
  let busy = false;
  const quiet = () => !typing(document.activeElement) && !document.querySelector("dialog[open]") && !getSelection().toString()
    && ![...main.querySelectorAll("textarea, input:not([type=hidden])")].some((f) => f.value !== f.defaultValue && f.type !== "checkbox");
  async function renew() {
    if (busy || document.hidden || !quiet()) return void (waiting = true);
    busy = true;
    waiting = false;
    try {
      const answer = await fetch(location.href, { headers: { "X-Part": "1" } });
      if (answer.status === 401) return void (location.href = "/sign-in");
      if (!answer.ok) return;
      const next = document.createElement("template");
      next.innerHTML = await answer.text();
      if (!quiet()) return void (waiting = true); // somebody began to write meanwhile
      if (next.innerHTML.trim() === main.innerHTML.trim()) return; // nothing that stands here changed
      const opened = new Set([...main.querySelectorAll("details[open][id]")].map((d) => d.id));
      const known = new Set([...main.querySelectorAll("[data-id]")].map((r) => r.dataset.id));
      const selected = rows()[chosen]?.dataset.id;
      const back = document.activeElement?.closest?.("[data-id]")?.dataset.id;
      main.replaceChildren(next.content);
      main.querySelectorAll("details[id]").forEach((d) => { d.open = d.open || opened.has(d.id); });
      main.querySelectorAll("[data-id]").forEach((r) => { if (known.size && !known.has(r.dataset.id)) r.classList.add("fresh"); });
      chosen = rows().findIndex((r) => r.dataset.id === selected);
      if (chosen >= 0) rows()[chosen].classList.add("at");
      if (back) main.querySelector(`[data-id="${CSS.escape(back)}"] a`)?.focus({ preventScroll: true });
      dress();
    } finally {
      busy = false;
    }
  }
  const events = new EventSource("/live");
  events.addEventListener("changed", renew);
  document.addEventListener("visibilitychange", () => { if (waiting) renew(); });
  setInterval(() => { if (waiting) renew(); }, 2000);
  addEventListener("pagehide", () => events.close());
}

// What is revealed fades: the page asks for itself again, masked.
function dress() {
  for (const el of main.querySelectorAll("[data-fades]")) {
    const seconds = Number(el.dataset.fades);
    setTimeout(() => el.classList.add("fading"), Math.max(0, seconds - 4) * 1000);
    setTimeout(() => { el.replaceChildren(); location.replace(el.dataset.to); }, seconds * 1000);
  }
  for (const el of main.querySelectorAll("select[data-submit]")) el.addEventListener("change", () => el.form.requestSubmit());
  for (const el of main.querySelectorAll("[data-copy]")) {
    el.hidden = false;
    el.addEventListener("click", () => navigator.clipboard.writeText(document.getElementById(el.dataset.copy).textContent));
  }
  for (const el of main.querySelectorAll("[data-print]")) {
    el.hidden = false;
    el.addEventListener("click", () => print());
  }
  const drop = main.querySelector(".drop");
  if (drop) {
    const file = drop.querySelector("input[type=file]");
    const over = (on) => (e) => { e.preventDefault(); drop.classList.toggle("over", on); };
    drop.addEventListener("dragover", over(true));
    drop.addEventListener("dragleave", over(false));
    drop.addEventListener("drop", (e) => {
      over(false)(e);
      if (e.dataTransfer.files.length === 1) { file.files = e.dataTransfer.files; file.form.requestSubmit(); }
    });
    file.addEventListener("change", () => { if (file.files.length) file.form.requestSubmit(); });
  }
}
dress();

// Choosing complaints to compare.
document.addEventListener("change", (e) => {
  if (e.target.name !== "with") return;
  const n = main.querySelectorAll("input[name=with]:checked").length;
  const b = main.querySelector("[data-compare]");
  if (b) b.disabled = n < 1;
});

// A link that leaves a list remembers nothing; the list's address says where it was.
// Passkeys: what the browser signs stays between it and the server.
const b64 = {
  from: (s) => Uint8Array.from(atob(s.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0)),
  to: (b) => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, ""),
};
async function post(path, body) {
  const r = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) });
  const text = await r.text();
  if (!r.ok) throw new Error(r.status);
  return text ? JSON.parse(text) : {};
}
async function passkey(button, work) {
  button.disabled = true;
  const say = document.getElementById("passkey-says");
  try {
    await work();
  } catch {
    if (say) { say.hidden = false; say.focus(); }
  } finally {
    button.disabled = false;
  }
}
for (const b of document.querySelectorAll("[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  b.hidden = false;
  b.addEventListener("click", () => passkey(b, async () => {
    if (b.dataset.passkey === "sign-in") {
      const o = await post("/sign-in/passkey/begin");
      const k = o.publicKey ?? o;
      k.challenge = b64.from(k.challenge);
      for (const c of k.allowCredentials ?? []) c.id = b64.from(c.id);
      const got = await navigator.credentials.get({ publicKey: k });
      const a = got.response;
      const went = await post("/sign-in/passkey/finish", { next: document.querySelector("input[name=next]")?.value, credential: { id: got.id, rawId: b64.to(got.rawId), type: got.type, clientExtensionResults: {}, response: {
        authenticatorData: b64.to(a.authenticatorData), clientDataJSON: b64.to(a.clientDataJSON), signature: b64.to(a.signature), userHandle: a.userHandle ? b64.to(a.userHandle) : undefined } } });
      location.href = went.next ?? "/";
    } else {
      const o = await post("/me/passkeys/begin");
      const k = o.publicKey ?? o;
      k.challenge = b64.from(k.challenge);
      k.user.id = b64.from(k.user.id);
      for (const c of k.excludeCredentials ?? []) c.id = b64.from(c.id);
      const got = await navigator.credentials.create({ publicKey: k });
      const a = got.response;
      await post("/me/passkeys/finish", { name: document.getElementById("passkey-name")?.value, credential: { id: got.id, rawId: b64.to(got.rawId), type: got.type, clientExtensionResults: {}, response: {
        attestationObject: b64.to(a.attestationObject), clientDataJSON: b64.to(a.clientDataJSON), transports: a.getTransports?.() } } });
      location.href = "/me?done=passkey";
    }
  }));
}
