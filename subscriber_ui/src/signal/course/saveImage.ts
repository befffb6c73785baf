import { download } from "../../elements/csv";

const PAINTED = ["stroke", "fill"] as const;

/** The chart inside an element as an SVG file, in the colours it is shown in. */
export function saveImage(inside: HTMLElement | null, file: string): void {
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
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("font-family", "sans-serif");
  copy.style.backgroundColor = style.backgroundColor;
  download(file, new XMLSerializer().serializeToString(copy), "image/svg+xml");
}
