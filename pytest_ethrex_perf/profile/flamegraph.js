"use strict";
// Data of a figure: {unit, differential, names, tree, scale, sds}; a node is [name, width, base, head, children,
// error]: the standard error of its change. A change of `scale` has full colour, within `sds` errors it is grey.
(() => {
  const ROW = 18;
  const [NAME, WIDTH, BASE, HEAD, CHILDREN, ERROR] = [0, 1, 2, 3, 4, 5];

  const hash = (text) => {
    let value = 7;
    for (const character of text) value = (value * 31 + character.codePointAt(0)) >>> 0;
    return value;
  };
  // ethrex's own code is orange, its libraries and Rust's yellow, the rest grey: one function, one colour
  const warm = (name) => {
    const shade = hash(name) % 12;
    if (/ethrex/.test(name)) return `hsl(${22 + shade} 85% ${66 + (shade % 4) * 2}%)`;
    if (/::/.test(name)) return `hsl(${46 + shade} 75% ${68 + (shade % 4) * 2}%)`;
    return `hsl(210 ${8 + shade}% ${76 + (shade % 4) * 2}%)`;
  };
  const noise = (node, data) => node.length > ERROR && Math.abs(node[HEAD] - node[BASE]) <= data.sds * node[ERROR];
  const changed = (node, data) => {
    const change = node[HEAD] - node[BASE];
    if (noise(node, data) || !change) return "hsl(0 0% 84%)";
    const light = 88 - 26 * Math.sqrt(Math.min(1, Math.abs(change) / data.scale));
    return change > 0 ? `hsl(8 80% ${light}%)` : `hsl(215 75% ${light}%)`;
  };
  const number = (value) => (Math.abs(value) >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(3));

  const start = (figure) => {
    figure.dataset.drawn = "";
    figure.querySelector(".flamegraph-script").remove();
    const data = JSON.parse(figure.querySelector("script").textContent);
    const frames = figure.querySelector(".flamegraph-frames");
    const detail = figure.querySelector(".flamegraph-detail");
    const input = figure.querySelector("input");
    const whole = figure.querySelector("button");
    const found = figure.querySelector("output");
    const hint = detail.textContent;
    const root = data.tree;
    const parents = new Map();
    (function visit(node) {
      for (const child of node[CHILDREN]) {
        parents.set(child, node);
        visit(child);
      }
    })(root);
    let zoomed = root;
    let pattern = null;

    const describe = (node) => {
      const name = data.names[node[NAME]];
      const percent = (value) => `${(root[HEAD] ? (100 * value) / root[HEAD] : 0).toFixed(1)} %`;
      if (!data.differential) return `${name} – ${number(node[HEAD])} ${data.unit}, ${percent(node[HEAD])}`;
      const change = node[HEAD] - node[BASE];
      const sign = change < 0 ? "−" : "+";
      const error = node.length > ERROR ? ` ± ${number(data.sds * node[ERROR])}` : "";
      const verdict = noise(node, data) ? ", within noise" : "";
      return `${name} – ${number(node[BASE])} → ${number(node[HEAD])} ${data.unit}: ${sign}${number(Math.abs(change))}${error}${verdict}`;
    };

    const add = (node, level, left, width, above) => {
      const box = document.createElement("div");
      const name = data.names[node[NAME]];
      box.style.top = `${level * ROW}px`;
      box.style.left = `${100 * left}%`;
      box.style.width = `${100 * width}%`;
      box.style.background = data.differential ? changed(node, data) : warm(name);
      if (width * frames.clientWidth > 24) box.textContent = name;
      box.title = describe(node);
      box.tabIndex = 0;
      box.setAttribute("role", "treeitem");
      if (above) box.className = "above";
      if (pattern && pattern.test(name)) box.classList.add("found");
      const show = () => { detail.textContent = box.title; };
      box.addEventListener("mouseenter", show);
      box.addEventListener("focus", show);
      box.addEventListener("click", () => zoom(node));
      box.addEventListener("keydown", (event) => {
        if (event.key === "Enter") zoom(node);
        if (event.key === "Escape") zoom(root);
      });
      frames.append(box);
    };

    let drawn = 0;
    const draw = () => {
      drawn = frames.clientWidth;
      frames.replaceChildren();
      const path = [];
      for (let node = parents.get(zoomed); node; node = parents.get(node)) path.unshift(node);
      path.forEach((node, level) => add(node, level, 0, 1, true));
      let deepest = path.length;
      const pixel = 0.6 / Math.max(frames.clientWidth, 300);
      (function place(node, level, left, width) {
        deepest = Math.max(deepest, level);
        add(node, level, left, width, false);
        let at = left;
        for (const child of node[CHILDREN]) {
          const share = node[WIDTH] ? (width * child[WIDTH]) / node[WIDTH] : 0;
          if (share >= pixel) place(child, level + 1, at, share);
          at += share;
        }
      })(zoomed, path.length, 0, 1);
      frames.style.height = `${(deepest + 1) * ROW}px`;
      whole.disabled = zoomed === root;
      count();
    };

    // what of the zoomed part is below a frame that was found, each sample once
    const count = () => {
      if (!pattern) { found.textContent = ""; return; }
      const sum = [0, 0, 0];
      (function visit(node) {
        if (pattern.test(data.names[node[NAME]])) {
          sum[0] += node[HEAD];
          sum[1] += node[BASE];
          sum[2] += 1;
        } else node[CHILDREN].forEach(visit);
      })(zoomed);
      const share = zoomed[HEAD] ? (100 * sum[0]) / zoomed[HEAD] : 0;
      found.textContent = sum[2] === 0 ? "nothing found"
        : data.differential ? `${number(sum[1])} → ${number(sum[0])} ${data.unit}`
        : `${number(sum[0])} ${data.unit}, ${share.toFixed(1)} %`;
    };

    const zoom = (node) => { zoomed = node; detail.textContent = node === root ? hint : describe(node); draw(); };

    input.addEventListener("input", () => {
      try {
        pattern = input.value ? new RegExp(input.value, "i") : null;
        input.classList.remove("bad");
      } catch { pattern = null; input.classList.add("bad"); }
      draw();
    });
    whole.addEventListener("click", () => zoom(root));
    draw();
    // in a part of the page that is folded it has no width yet, and names need some
    new ResizeObserver(() => { if (frames.clientWidth && frames.clientWidth !== drawn) draw(); }).observe(frames);
  };
  // a page may add figures later, and says so
  const all = () => document.querySelectorAll("figure.flamegraph:not([data-drawn])").forEach(start);
  document.addEventListener("figures", all);
  all();
})();
