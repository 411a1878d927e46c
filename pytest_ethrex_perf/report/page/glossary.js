"use strict";
// Words of the glossary at the page's end are explained on hover, focus and touch, where they first stand in a section.
(() => {
  const meanings = new Map();
  for (const term of document.querySelectorAll("#glossary dt")) {
    for (const form of term.dataset.forms.split("|")) meanings.set(form.toLowerCase(), term);
  }
  const forms = [...meanings.keys()].sort((a, b) => b.length - a.length);
  const escaped = forms.map((form) => form.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"));
  const words = new RegExp(`(?<![\\w/-])(?:${escaped.join("|")})(?![\\w/-])`, "gi");

  function explain(section) {
    const seen = new Set();
    const walker = document.createTreeWalker(section, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) {
      if (!walker.currentNode.parentElement.closest("a, button, code, dfn, figure, summary, svg, .again, .unseen")) texts.push(walker.currentNode);
    }
    for (const text of texts) mark(text, seen);
  }

  function mark(text, seen) {
    const parts = [];
    let from = 0;
    for (const match of text.data.matchAll(words)) {
      const term = meanings.get(match[0].toLowerCase());
      if (seen.has(term)) continue;
      seen.add(term);
      const word = document.createElement("dfn");
      word.tabIndex = 0;
      word.textContent = match[0];
      word.dataset.term = term.id;
      parts.push(text.data.slice(from, match.index), word);
      from = match.index + match[0].length;
    }
    if (parts.length) text.replaceWith(...parts, text.data.slice(from));
  }

  const tip = document.createElement("div");
  tip.id = "tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  document.body.append(tip);
  let shown = null;
  let leaving = 0;

  function show(word) {
    hide();
    const term = document.getElementById(word.dataset.term);
    tip.textContent = `${term.textContent}: ${term.nextElementSibling.textContent}`;
    tip.hidden = false;
    word.setAttribute("aria-describedby", tip.id);
    shown = word;
    const at = word.getClientRects()[0];
    const width = document.documentElement.clientWidth;
    tip.style.left = `${Math.max(8, Math.min(at.left, width - tip.offsetWidth - 8))}px`;
    const below = at.bottom + 6;
    tip.style.top = `${below + tip.offsetHeight < innerHeight ? below : Math.max(8, at.top - tip.offsetHeight - 6)}px`;
  }

  function hide() {
    clearTimeout(leaving);
    shown?.removeAttribute("aria-describedby");
    shown = null;
    tip.hidden = true;
  }

  // the pointer may go to what is shown, to read or copy it
  document.addEventListener("mouseover", (event) => {
    const word = event.target.closest?.("dfn[data-term]");
    if (word) show(word);
    else if (event.target === tip) clearTimeout(leaving);
    else if (shown && shown !== document.activeElement) {
      clearTimeout(leaving);
      leaving = setTimeout(hide, 200);
    }
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("dfn[data-term]")) show(event.target);
    else hide();
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  addEventListener("scroll", hide, { passive: true, capture: true });

  function explainDetails() {
    for (const details of document.querySelectorAll("article:not([data-explained])")) {
      details.dataset.explained = "";
      explain(details);
    }
  }
  for (const section of document.querySelectorAll("header.top .facts, .mean, .legend")) explain(section);
  document.addEventListener("figures", explainDetails);
  explainDetails();
})();
