// What a script adds: keys, sliders that follow their numbers, and the values under the pointer.
// Every page works without it.
(() => {
  "use strict";

  // Numbers and sliders.
  const percent = text => {
    const found = text.trim().replace(",", ".").match(/^(\d+(?:\.\d+)?)\s*%?$/);
    return found ? Number(found[1]) : null;
  };
  document.addEventListener("input", event => {
    const box = event.target.closest?.("[data-chance]");
    if (!box) return;
    const number = box.querySelector("[data-number]"), slide = box.querySelector("[data-slide]");
    if (event.target === slide) {
      number.value = slide.value;
    } else if (event.target === number) {
      const value = percent(number.value);
      if (value !== null && value <= 100) slide.value = value;
    }
    slide.toggleAttribute("data-untouched", number.value.trim() === "");
    // Of a number and a word the one that was changed last is the answer.
    const word = box.closest("form")?.querySelector("select[name=word]");
    if (word) word.value = "";
    total(box.closest("[data-sum]"));
    wording(box);
  });

  document.addEventListener("change", event => {
    if (!event.target.matches?.("select[name=word]")) return;
    const middle = event.target.selectedOptions[0]?.dataset.middle;
    const box = middle && event.target.form.querySelector("[data-chance]");
    if (!box) return;
    box.querySelector("[data-number]").value = box.querySelector("[data-slide]").value = middle;
    box.querySelector("[data-slide]").removeAttribute("data-untouched");
    wording(box);
  });

  // Of a tick and a choice of something else the one that was changed last counts.
  document.addEventListener("change", event => {
    const form = event.target.closest?.("form"), other = form?.querySelector("[data-other]");
    const chosen = form?.querySelector("select[name=other]");
    if (!other || !chosen) return;
    if (event.target === chosen && chosen.value) other.checked = true;
    else if (event.target.name === "target" && event.target !== other) chosen.value = "";
  });

  // Of outcomes that exclude each other one is ticked.
  document.addEventListener("change", event => {
    const group = event.target.checked && event.target.closest("[data-one]");
    for (const other of group ? group.querySelectorAll("input") : []) other.checked = other === event.target;
  });

  // Of a ladder a later rung is never less likely: once a field is left (half a number is no number),
  // it lifts the lower ones after it. None is ever pulled down.
  document.addEventListener("change", event => {
    const box = event.target.closest?.("[data-ladder] [data-chance]");
    const value = box && percent(box.querySelector("[data-number]").value);
    if (!box || value === null || value > 100) return;
    const rungs = [...box.closest("[data-ladder]").querySelectorAll("[data-chance]")];
    for (const later of rungs.slice(rungs.indexOf(box) + 1)) {
      const number = later.querySelector("[data-number]"), own = percent(number.value);
      if (own !== null && own < value) number.value = later.querySelector("[data-slide]").value = value;
    }
  });

  // What the options come to.
  const total = form => {
    const out = form?.querySelector("[data-total]");
    if (!out) return;
    const sum = [...form.querySelectorAll("[data-number]")]
      .reduce((all, each) => all + (percent(each.value) ?? 0), 0);
    out.textContent = `Now ${Math.round(sum * 10) / 10} %.`;
  };

  // The number as odds and in words.
  const bands = [[5, "almost no chance"], [20, "very unlikely"], [45, "unlikely"], [55, "an even chance"],
    [80, "likely"], [95, "very likely"], [100, "almost certain"]];
  const wording = box => {
    const out = box.closest("form")?.querySelector("[data-words]");
    if (!out) return;
    const value = percent(box.querySelector("[data-number]").value);
    if (value === null || value > 100) { out.textContent = ""; return; }
    const sure = value === 0 ? "certain that not" : value === 100 ? "certain" : "";
    const word = sure || bands.find(([high]) => value <= high)[1];
    const [one, other] = value <= 50 ? [1, (100 - value) / value] : [value / (100 - value), 1];
    const odds = value === 0 || value === 100 ? "" : ` · odds ${+one.toPrecision(2)} to ${+other.toPrecision(2)}`;
    out.textContent = word + odds;
  };
  const settle = () => {
    document.querySelectorAll("[data-chance]").forEach(wording);
    document.querySelectorAll("[data-sum]").forEach(total);
  };
  document.addEventListener("DOMContentLoaded", settle);

  // Keys: j k move, Enter opens, l logs, n news, / finds, g goes, ? helps.
  const places = {t: "/", a: "/ask", q: "/questions", n: "/news", w: "/world", r: "/review", l: "/ledger"};
  let going = false;
  const items = () => [...document.querySelectorAll("[data-item]")];
  const here = () => document.querySelector("[data-item].here");
  const move = step => {
    const all = items(), at = all.indexOf(here());
    const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + step))];
    if (!next) return;
    here()?.classList.remove("here");
    next.classList.add("here");
    const link = next.querySelector("a");
    link?.focus({preventScroll: true});
    next.scrollIntoView({block: "nearest"});
  };
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches?.("input:not([type=range],[type=checkbox],[type=radio]),textarea,select");
    if (event.key === "Escape" && typing) { event.target.blur(); return; }
    if (typing) return;
    const key = event.key;
    if (going) {
      going = false;
      if (places[key]) { event.preventDefault(); location.href = places[key]; }
      return;
    }
    if (key === "j" || key === "k") { event.preventDefault(); move(key === "j" ? 1 : -1); }
    else if (key === "l") {
      const field = (here() ?? document).querySelector("[data-number],[data-log]");
      if (field) { event.preventDefault(); field.focus(); field.select?.(); }
    }
    else if (key === "n") {
      const item = here()?.dataset.news;
      event.preventDefault();
      location.href = item ?? "/news";
    }
    else if (key === "/") { event.preventDefault(); document.getElementById("find")?.focus(); }
    else if (key === "g") going = true;
    else if (key === "?") location.href = "/help";
    else {
      // A button or a choice that names its own key.
      const named = key.length === 1 ? document.querySelector(`[data-key="${CSS.escape(key)}"]`) : null;
      if (named) { event.preventDefault(); named.click(); }
    }
  });

  // The value under the pointer: [data-tip] within a chart.
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  const show = (mark, x, y) => {
    tip.textContent = mark.dataset.tip;
    tip.hidden = false;
    const wide = tip.offsetWidth, left = Math.min(x + 12, document.documentElement.clientWidth - wide - 8);
    tip.style.left = `${Math.max(4, left) + scrollX}px`;
    tip.style.top = `${y + scrollY + 14}px`;
  };
  document.addEventListener("pointermove", event => {
    const mark = event.target.closest?.("[data-tip]");
    if (!mark) { tip.hidden = true; return; }
    if (!tip.isConnected) document.body.append(tip);
    show(mark, event.clientX, event.clientY);
  });
  document.addEventListener("focusin", event => {
    const mark = event.target.closest?.("[data-tip]");
    if (!mark) { tip.hidden = true; return; }
    if (!tip.isConnected) document.body.append(tip);
    const box = mark.getBoundingClientRect();
    show(mark, box.left, box.bottom - 8);
  });

  // After htmx put a new page in place, its notes are read out and seen.
  document.addEventListener("htmx:after:swap", event => {
    settle();
    // A part of the page that follows what is typed takes nobody away from it.
    if (event.target.closest?.(".quantiles")) return;
    const section = document.getElementById("main").dataset.section;
    for (const tab of document.querySelectorAll("[data-tab]")) {
      if (tab.dataset.tab === section) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    // What was done is done: keys move again, and do not type into its field.
    if (document.querySelector(".note.done") && !document.querySelector(".fault")) document.activeElement?.blur();
    const note = document.querySelector(".note, .fault, #refusal");
    note?.scrollIntoView({block: "nearest"});
  });
})();
