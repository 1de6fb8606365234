"use strict";
(() => {
  const all = () => document.querySelectorAll("details");
  const button = document.getElementById("open-all");
  button.hidden = false;
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-pressed") !== "true";
    all().forEach((d) => { d.open = open; });
    button.setAttribute("aria-pressed", String(open));
  });

  // A link to something inside closed details opens them.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let d = target && target.closest("details"); d; d = d.parentElement.closest("details")) d.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);

  // Paper shows everything, and the page is as it was afterwards.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...all()].filter((d) => !d.open);
    closed.forEach((d) => { d.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((d) => { d.open = false; }));

  const filter = document.getElementById("filter");
  if (!filter) return;
  const input = document.getElementById("filter-text");
  const said = document.getElementById("filter-count");
  const rows = [...document.querySelectorAll("#rows tbody tr")];
  const words = rows.map((r) => r.textContent.toLowerCase());
  filter.hidden = false;
  input.addEventListener("input", () => {
    const want = input.value.trim().toLowerCase();
    let n = 0;
    rows.forEach((r, i) => {
      r.hidden = !words[i].includes(want);
      if (!r.hidden) n++;
    });
    said.textContent = want ? n + " of " + rows.length + " rows" : "";
  });
  addEventListener("keydown", (e) => {
    if (e.key === "/" && !/^(INPUT|TEXTAREA)$/.test(e.target.tagName) && !e.ctrlKey && !e.metaKey && !e.altKey) {
      e.preventDefault();
      input.focus();
    } else if (e.key === "Escape" && e.target === input) {
      input.value = "";
      input.dispatchEvent(new Event("input"));
    }
  });
})();
