"use strict";
const rows = [...document.querySelectorAll(".row")].map(row => ({ row, text: row.textContent.toLowerCase() + " " + row.dataset.search }));
const sections = [...document.querySelectorAll("section.policy")];
const fields = ["search", "verdict", "stage"].map(id => document.getElementById(id));
const count = document.getElementById("count");

function show() {
  const [search, verdict, stage] = fields.map(field => field.value.trim().toLowerCase());
  const words = search.split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { row, text } of rows) {
    const fits = (!verdict || (verdict === "blocks" ? row.dataset.blocks === "yes" : row.dataset.verdict === verdict))
      && (!stage || row.dataset.stage === stage) && words.every(word => text.includes(word));
    row.hidden = !fits;
    shown += fits;
  }
  for (const section of sections) section.hidden = !section.querySelector(".row:not([hidden])");
  count.textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} findings`;
  const query = new URLSearchParams(fields.filter(field => field.value).map(field => [field.id, field.value]));
  history.replaceState(null, "", location.pathname + (query.size ? `?${query}` : "") + location.hash);
}

const given = new URLSearchParams(location.search);
for (const field of fields) {
  if (given.has(field.id)) field.value = given.get(field.id);
  field.addEventListener("input", show);
}
function clear() { for (const field of fields) field.value = ""; show(); }
document.getElementById("clear").addEventListener("click", clear);
addEventListener("hashchange", () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.closest("[hidden]")) { clear(); target.scrollIntoView(); }
});
addEventListener("beforeprint", () => { for (const each of document.querySelectorAll("details")) each.open = true; });
document.addEventListener("keydown", event => {
  if (event.key === "/" && !event.ctrlKey && !event.metaKey && document.activeElement !== fields[0]) { event.preventDefault(); fields[0].focus(); }
});
document.querySelector(".filters").hidden = false;
show();
