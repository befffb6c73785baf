/** Colours of the theme as a canvas needs them: resolved, for the scheme that is shown. */

import { useMemo, useSyncExternalStore } from "react";

import type { Provenance } from "../elements/ProvenanceBadge";

export interface ChartColors {
  text: string;
  grid: string;
  canvas: string;
  provenance: Record<Provenance, string>;
}

const SCHEME = "data-theme";

export function useChartColors(): ChartColors {
  const scheme = useSyncExternalStore(subscribe, () =>
    document.documentElement.getAttribute(SCHEME),
  );
  return useMemo(() => read(scheme), [scheme]);
}

/** A colour of the theme with an opacity. */
export function faded(hex: string, opacity: number): string {
  const alpha = Math.round(opacity * 255)
    .toString(16)
    .padStart(2, "0");
  return `${hex}${alpha}`;
}

function subscribe(listener: () => void): () => void {
  const observer = new MutationObserver(listener);
  observer.observe(document.documentElement, { attributeFilter: [SCHEME] });
  return () => observer.disconnect();
}

function read(scheme: string | null): ChartColors {
  const style = getComputedStyle(document.documentElement);
  const absent = scheme === "dark" ? "#ffffff" : "#000000";
  const color = (name: string): string =>
    style.getPropertyValue(`--mui-palette-${name}`).trim() || absent;
  return {
    text: color("text-secondary"),
    grid: color("divider"),
    canvas: color("canvas"),
    provenance: {
      live: color("provenance-live"),
      late: color("provenance-late"),
      missed: color("provenance-missed"),
      replayed: color("provenance-replayed"),
      backfilled: color("provenance-backfilled"),
    },
  };
}
