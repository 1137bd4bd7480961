// What a reader does with the first chart of the weight mirror, told in <output> elements.
const tell = (id, text) =>
  document.body.append(Object.assign(document.createElement("output"), { id, textContent: text }));
const tip = () => [...document.querySelectorAll("#tip span")].map((part) => part.textContent).join("|");
{
  const chart = [...document.querySelectorAll("svg.chart")].find((svg) => svg.ariaLabel.startsWith("weight_mirror"));
  const press = (key) => chart.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  press("ArrowRight");
  tell("median", tip());
  press("ArrowUp");
  press("ArrowLeft");
  tell("layer", tip());
  press("Escape");
  tell("escaped", document.getElementById("tip").hidden);
  chart.scrollIntoView();
  const mark = chart.querySelector("g.median .stroke").getPointAtLength(0).matrixTransform(chart.getScreenCTM());
  chart.dispatchEvent(new PointerEvent("pointermove", { clientX: mark.x, clientY: mark.y, bubbles: true }));
  tell("pointed", tip().split("|")[2]);
  tell("shadow", document.querySelector(".drawing").shadowRoot.querySelector("text").textContent);
  dispatchEvent(new Event("beforeprint"));
  tell("unfolded", document.querySelectorAll("details:not([open]):not(.text)").length);
}
