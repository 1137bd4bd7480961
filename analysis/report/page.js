"use strict";
// Values on hover, and with the arrow keys: of the nearest point of a line, or the cell of a map. Nothing is loaded.
(() => {
  const REACH = 28; // in pixels: how far from the pointer a point may be
  const tip = document.getElementById("tip");
  const SVG = "http://www.w3.org/2000/svg";

  const short = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : String(+value.toPrecision(3)));
  const numbers = (text) => text.split(" ").map(Number);
  // A zero on a logarithmic axis is drawn at its foot; what is shown is the value itself.
  const words = (svg, name, x, y) => [`${y}${svg.dataset.unit}`, name, x];

  function readLines(svg) {
    return [...svg.querySelectorAll("g.line")].map((group) => {
      const places = [...group.querySelector(".stroke").getAttribute("d").matchAll(/[ML]([\d.-]+) ([\d.-]+)/g)];
      const xs = numbers(group.dataset.x), ys = numbers(group.dataset.y);
      const names = group.querySelector("desc");
      const labels = names ? JSON.parse(names.textContent) : xs.map((x) => `${short(x)} ${svg.dataset.x}`);
      const points = places.map((place, i) => ({
        x: +place[1], y: +place[2], words: words(svg, group.dataset.name, labels[i], short(ys[i])),
      }));
      return { group, points };
    });
  }

  function readCells(svg) {
    const image = svg.querySelector("image.cells");
    if (!image) return [];
    const names = JSON.parse(image.dataset.names), xs = JSON.parse(image.dataset.x);
    const values = JSON.parse(image.dataset.values);
    const [left, top, wide, high] = ["x", "y", "width", "height"].map((key) => +image.getAttribute(key));
    return values.map((row, r) => ({
      group: image,
      points: row.map((value, c) => ({
        x: left + ((c + 0.5) / row.length) * wide,
        y: top + high - ((r + 0.5) / values.length) * high,
        words: [value === null ? "not measured" : `${short(value)}°`, names[r], `${short(xs[c])} ${svg.dataset.x}`],
      })),
    }));
  }

  function watch(svg) {
    let lines = null, mark = null, chosen = null;
    const ready = () => {
      if (lines) return;
      lines = [...readLines(svg), ...readCells(svg)].filter((line) => line.points.length);
      mark = document.createElementNS(SVG, "circle");
      mark.setAttribute("r", "4");
      mark.setAttribute("class", "mark");
    };
    const show = (line, index) => {
      hide();
      chosen = { line, index };
      const point = lines[line].points[index];
      lines[line].group.classList.add("hot");
      mark.setAttribute("cx", point.x);
      mark.setAttribute("cy", point.y);
      svg.append(mark);
      const [value, name, where] = point.words.map((text) => Object.assign(document.createElement("span"), { textContent: text }));
      tip.replaceChildren(value, name, where);
      tip.hidden = false;
      const at = new DOMPoint(point.x, point.y).matrixTransform(svg.getScreenCTM());
      const box = tip.getBoundingClientRect();
      tip.style.left = `${Math.max(4, Math.min(at.x + 12, innerWidth - box.width - 8))}px`;
      tip.style.top = `${at.y - box.height - 10 < 4 ? at.y + 14 : at.y - box.height - 10}px`;
    };
    const hide = () => {
      if (chosen) lines[chosen.line].group.classList.remove("hot");
      if (mark) mark.remove();
      tip.hidden = true;
      chosen = null;
    };
    svg.addEventListener("pointermove", (event) => {
      ready();
      const matrix = svg.getScreenCTM();
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
      let best = null, least = (REACH / matrix.a) ** 2;
      lines.forEach((line, l) => line.points.forEach((point, p) => {
        const far = (point.x - at.x) ** 2 + (point.y - at.y) ** 2;
        if (far < least) [best, least] = [[l, p], far];
      }));
      if (best) show(...best);
      else hide();
    });
    svg.addEventListener("pointerleave", () => chosen && hide());
    svg.addEventListener("blur", () => chosen && hide());
    svg.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0], ArrowDown: [-1, 0] }[event.key];
      if (event.key === "Escape" && chosen) hide();
      if (!move) return;
      event.preventDefault();
      ready();
      if (!lines.length) return;
      if (!chosen) return show(lines.length - 1, lines[lines.length - 1].points.length - 1);
      const line = (chosen.line + move[0] + lines.length) % lines.length;
      show(line, Math.max(0, Math.min(chosen.index + move[1], lines[line].points.length - 1)));
    });
  }

  document.querySelectorAll("svg.chart").forEach(watch);

  // Paper has nothing to unfold. Recorded texts would fill it, and are printed only where somebody opened them.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open]):not(.text)")];
    closed.forEach((details) => (details.open = true));
  });
  addEventListener("afterprint", () => closed.forEach((details) => (details.open = false)));
})();
