(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const say = (key, file, args) => BonafidePack.say(words[lang], key, file, args);
  let lang = (navigator.language || "en").toLowerCase().startsWith("zh") ? "zh" : "en";
  let report = null, failure = null, run = 0;

  const el = (name, className, text) => {
    const e = document.createElement(name);
    if (className) e.className = className;
    if (text !== undefined) e.textContent = text;
    return e;
  };
  const grouped = (h) => h.replace(/.{8}(?=.)/g, "$& ");

  function draw() {
    document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
    document.title = say("ui.title");
    document.querySelectorAll("[data-say]").forEach((e) => { e.textContent = say(e.dataset.say); });
    $("lang").textContent = say("ui.lang");
    $("lang").lang = lang === "zh" ? "en" : "zh-CN";
    const verdict = $("verdict");
    verdict.textContent = "";
    verdict.className = "";
    $("result").hidden = !report;
    if (failure) {
      verdict.className = "bad";
      verdict.textContent = say("ui.unread", "", [failure]);
    }
    if (!report) return;
    const wrong = report.problems.length;
    verdict.className = wrong ? "bad" : "good";
    verdict.textContent = wrong ? say("ui.bad", "", [String(wrong)]) : say("ui.good");
    $("problems-part").hidden = !wrong;
    $("problems").replaceChildren(...report.problems.slice(0, 1000).map((p) => el("li", "failed", say(`p.${p.key}`, p.file, p.args))));
    $("checks").replaceChildren(...report.checks.map((c) => {
      const li = el("li", c.state);
      li.append(el("span", "state", say(`state.${c.state}`)), el("span", "", say(`check.${c.code}`)));
      if (c.why) li.append(el("span", "why", say(c.why)));
      return li;
    }));
    const rows = [["case", report.case], ["number", report.number], ["variant", report.variant], ["sealed", report.sealed], ["stamped", report.stamped],
      ["authority", report.authority], ["files", report.files], ["items", report.items], ["custody", report.custody], ["keyprint", grouped(report.key), "print"],
      ...report.roots.map((r) => ["rootprint", grouped(r), "print"])];
    $("about").replaceChildren(...rows.flatMap(([k, v, c]) => [el("dt", "", say(`ui.${k}`)), el("dd", c, v === "" ? say("ui.none") : String(v))]));
  }

  const reader = (blob) => ({
    size: blob.size,
    async read(offset, length) {
      const b = new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
      if (b.length < length) throw new Error("it ends early");
      return b;
    },
  });

  async function check(source) {
    const me = ++run;
    const key = $("key").value.trim();
    $("key-wrong").hidden = !key || Boolean(BonafidePack.keyOf(key));
    if (!$("key-wrong").hidden) { $("key").focus(); return; }
    report = failure = null;
    draw();
    const progress = (percent) => { $("bar").value = percent; $("bar-label").textContent = say("ui.working", "", [String(percent)]); };
    progress(0);
    $("busy").hidden = false;
    try {
      const got = await BonafidePack.verify(source, { key: key || undefined, progress: (done, total) => { if (me === run) progress(total ? Math.floor(done * 100 / total) : 100); } });
      if (me === run) report = got;
    } catch (e) {
      if (me === run) failure = e.message;
    }
    if (me !== run) return;
    $("busy").hidden = true;
    draw();
    $("verdict").focus();
  }

  function checkFolder(list) {
    const files = [...list].map((f) => ({ path: f.webkitRelativePath.split("/").slice(1).join("/"), ...reader(f) }));
    // The folder that holds the bag may have been chosen instead of the bag.
    const tops = new Set(files.map((f) => f.path.split("/")[0]));
    if (tops.size === 1 && !files.some((f) => f.path === "bagit.txt")) files.forEach((f) => { f.path = f.path.split("/").slice(1).join("/"); });
    return check({ files });
  }

  $("form").addEventListener("submit", (e) => e.preventDefault());
  $("zip").addEventListener("change", (e) => { if (e.target.files[0]) check(reader(e.target.files[0])); });
  $("folder").addEventListener("change", (e) => { if (e.target.files.length) checkFolder(e.target.files); });
  $("key").addEventListener("change", () => {
    if ($("folder").files.length) checkFolder($("folder").files);
    else if ($("zip").files[0]) check(reader($("zip").files[0]));
  });
  $("lang").addEventListener("click", () => { lang = lang === "zh" ? "en" : "zh"; draw(); });
  document.addEventListener("dragover", (e) => { e.preventDefault(); $("drop").classList.add("over"); });
  document.addEventListener("dragleave", () => $("drop").classList.remove("over"));
  document.addEventListener("drop", (e) => {
    e.preventDefault();
    $("drop").classList.remove("over");
    if (e.dataTransfer.files[0]) check(reader(e.dataTransfer.files[0]));
  });
  draw();
})();
