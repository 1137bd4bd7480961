// Opens and closes the blocks of a picture. The layout is made already: every height hangs on the upper or lower edge of
// a node, so all that is left to do is to add up the heights of the nodes that are seen.
"use strict";
(() => {
  const scene = JSON.parse(document.getElementById("scene").textContent);
  const svg = document.querySelector("svg");
  const opened = new Set(scene.opened);
  const edges = new Map();                                   // node -> [top, bottom]

  const isOpen = (node) => opened.has(node);
  const isSeen = (inside, closed) => {
    for (let node = inside; node !== null; node = scene.nodes[node].parent) if (!isOpen(node)) return false;
    return closed === null || !isOpen(closed);
  };

  function place(node, top) {                                // returns the bottom
    const { height, children, gaps } = scene.nodes[node];
    let y = top;
    if (isOpen(node)) {
      gaps.forEach((gap, index) => {
        y += gap;
        if (index < children.length) y = place(children[index], y);
      });
    } else {
      y += height;
    }
    edges.set(node, [top, y]);
    return y;
  }

  const level = ([node, edge, offset]) => edges.get(node)[edge] + offset;
  const text = (point) => point.map((value) => Math.round(value * 10) / 10).join(" ");

  function rounded(points) {
    const kept = points.filter((p, i) => i === 0 || p[0] !== points[i - 1][0] || p[1] !== points[i - 1][1]);
    const towards = (here, there) => {
      const dx = there[0] - here[0], dy = there[1] - here[1], length = Math.hypot(dx, dy);
      const part = Math.min(scene.radius, length / 2) / length;
      return [here[0] + dx * part, here[1] + dy * part];
    };
    let d = "M" + text(kept[0]);
    for (let i = 1; i < kept.length - 1; i++) {
      d += `L${text(towards(kept[i], kept[i - 1]))}Q${text(kept[i])} ${text(towards(kept[i], kept[i + 1]))}`;
    }
    return d + "L" + text(kept[kept.length - 1]);
  }

  function show() {
    edges.clear();
    const bottom = place(0, scene.above);
    const height = Math.max(bottom + scene.below, scene.least);
    svg.setAttribute("height", height);
    svg.setAttribute("viewBox", `0 0 ${scene.width} ${height}`);
    svg.querySelectorAll("[data-item]").forEach((element) => {
      const item = scene.items[element.dataset.item];
      const seen = isSeen(item.inside, item.closed);
      element.style.display = seen ? "" : "none";
      if (!seen) return;
      if (item.at) element.setAttribute("transform", `translate(0 ${level(item.at)})`);
      if (item.points) element.setAttribute("d", rounded(item.points.map(([x, at]) => [x, level(at)])));
      if (item.frame !== undefined) {
        const [top, end] = edges.get(item.frame);
        element.setAttribute("y", top);
        element.setAttribute("height", end - top);
      }
    });
  }

  function toggle(node) {
    if (!opened.delete(node)) opened.add(node);
    show();
    const same = [...svg.querySelectorAll(`[data-toggles="${node}"]`)];
    same.find((element) => element.style.display !== "none").focus({ preventScroll: true });
  }

  svg.querySelectorAll("[data-toggles]").forEach((element) => {
    const node = Number(element.dataset.toggles);
    element.addEventListener("click", () => toggle(node));
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      toggle(node);
    });
  });
  const all = (open) => () => {
    scene.nodes.forEach((node, index) => { if (index > 0 && node.children.length) open ? opened.add(index) : opened.delete(index); });
    show();
  };
  document.getElementById("open").addEventListener("click", all(true));
  document.getElementById("close").addEventListener("click", all(false));
  document.getElementById("controls").hidden = scene.nodes.every((node, index) => index === 0 || !node.children.length);
})();
