import { download } from "../../elements/csv";

const PAINTED = ["stroke", "fill"] as const;

const LINE = 18;

/** The chart inside an element as an SVG file, in the colours it is shown in, `told` beneath it. */
export function saveImage(inside: HTMLElement | null, file: string, told: string[]): void {
  const shown = inside?.querySelector("svg");
  if (shown == null) return;
  const copy = shown.cloneNode(true) as SVGSVGElement;
  const painted = [...shown.querySelectorAll("*")];
  copy.querySelectorAll("*").forEach((element, at) => {
    const original = painted[at];
    if (original === undefined) return;
    // Variables of our theme mean nothing outside this page.
    const style = getComputedStyle(original);
    for (const name of PAINTED) element.setAttribute(name, style.getPropertyValue(name));
  });
  const style = getComputedStyle(document.body);
  const height = Number(shown.getAttribute("height"));
  copy.setAttribute("height", String(height + LINE * told.length + LINE / 2));
  told.forEach((line, at) => {
    const text = document.createElementNS("http://www.w3.org/2000/svg", "text");
    text.textContent = line;
    text.setAttribute("x", "8");
    text.setAttribute("y", String(height + LINE * (at + 1)));
    text.setAttribute("font-size", "11");
    text.setAttribute("fill", style.color);
    copy.append(text);
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("font-family", "sans-serif");
  copy.style.backgroundColor = style.backgroundColor;
  download(file, new XMLSerializer().serializeToString(copy), "image/svg+xml");
}
