import { createTheme } from "@mui/material/styles";

/** Where a forecast comes from, told apart without colour alone: badges carry the word too. */
declare module "@mui/material/styles" {
  interface Palette {
    provenance: Record<"live" | "late" | "missed" | "replayed" | "backfilled", string>;
    up: string;
    down: string;
    line: string;
    canvas: string;
  }
  interface PaletteOptions {
    provenance: Palette["provenance"];
    up: string;
    down: string;
    line: string;
    canvas: string;
  }
}

const FONT = '"Inter Variable", system-ui, -apple-system, "Segoe UI", sans-serif';

export const theme = createTheme({
  cssVariables: { colorSchemeSelector: "data-theme" },
  colorSchemes: {
    light: {
      palette: {
        primary: { main: "#0f766e" },
        secondary: { main: "#4338ca" },
        success: { main: "#15803d" },
        warning: { main: "#a15c07" },
        error: { main: "#b91c1c" },
        info: { main: "#1d4ed8" },
        background: { default: "#f6f7f9", paper: "#ffffff" },
        text: { primary: "#111827", secondary: "#4b5563" },
        divider: "#e2e5ea",
        provenance: {
          live: "#0f766e",
          late: "#a15c07",
          missed: "#b91c1c",
          replayed: "#6d28d9",
          backfilled: "#4b5563",
        },
        up: "#0f766e",
        down: "#b91c1c",
        line: "#1d4ed8",
        canvas: "#ffffff",
      },
    },
    dark: {
      palette: {
        primary: { main: "#2dd4bf" },
        secondary: { main: "#a5b4fc" },
        success: { main: "#4ade80" },
        warning: { main: "#fbbf24" },
        error: { main: "#f87171" },
        info: { main: "#60a5fa" },
        background: { default: "#0c0f14", paper: "#141920" },
        text: { primary: "#e6e9ef", secondary: "#a3acba" },
        divider: "#272e39",
        provenance: {
          live: "#2dd4bf",
          late: "#fbbf24",
          missed: "#f87171",
          replayed: "#c4b5fd",
          backfilled: "#a3acba",
        },
        up: "#2dd4bf",
        down: "#f87171",
        line: "#60a5fa",
        canvas: "#141920",
      },
    },
  },
  shape: { borderRadius: 8 },
  typography: {
    fontFamily: FONT,
    fontSize: 14,
    h1: { fontSize: "1.5rem", fontWeight: 650, letterSpacing: "-0.015em", lineHeight: 1.25 },
    h2: { fontSize: "1.05rem", fontWeight: 600, letterSpacing: "-0.005em" },
    h3: { fontSize: "0.95rem", fontWeight: 600 },
    body1: { fontSize: "0.9rem" },
    body2: { fontSize: "0.82rem" },
    caption: { fontSize: "0.75rem" },
    button: { textTransform: "none", fontWeight: 600 },
  },
  components: {
    MuiCssBaseline: {
      styleOverrides: {
        body: { fontFeatureSettings: '"cv11", "ss03"' },
        ":focus-visible": {
          outline: "2px solid var(--mui-palette-primary-main)",
          outlineOffset: 2,
        },
        "@media (prefers-reduced-motion: reduce)": {
          "*, *::before, *::after": { animation: "none !important", transition: "none !important" },
        },
      },
    },
    MuiButton: { defaultProps: { disableElevation: true } },
    MuiPaper: {
      defaultProps: { variant: "outlined" },
      styleOverrides: { root: { backgroundImage: "none" } },
    },
    MuiTextField: { defaultProps: { size: "small", fullWidth: true } },
    MuiSelect: { defaultProps: { size: "small" } },
    MuiTableCell: { styleOverrides: { root: { fontVariantNumeric: "tabular-nums" } } },
    MuiTooltip: { defaultProps: { arrow: true, enterTouchDelay: 0, leaveTouchDelay: 6000 } },
    // Told from the text around them without colour.
    MuiLink: { defaultProps: { underline: "always" } },
    MuiToggleButton: { styleOverrides: { root: { color: "var(--mui-palette-text-secondary)" } } },
  },
});
