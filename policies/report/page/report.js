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
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname + location.hash);
}

const given = new URLSearchParams(location.search);
for (const field of fields) {
  if (given.has(field.id)) field.value = given.get(field.id);
  field.addEventListener("input", show);
}
document.getElementById("clear").addEventListener("click", () => { for (const field of fields) field.value = ""; show(); });
document.addEventListener("keydown", event => {
  if (event.key === "/" && document.activeElement !== fields[0]) { event.preventDefault(); fields[0].focus(); }
});
document.querySelector(".filters").hidden = false;
show();
