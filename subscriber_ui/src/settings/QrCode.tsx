import Box from "@mui/material/Box";
import { encode } from "uqr";

/** A text as a QR code: dark on light in either theme, as cameras want it. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const { data, size } = encode(text, { border: 4 });
  const dark = data.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x} ${y}h1v1h-1z`] : [])));
  return (
    <Box
      component="svg"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={label}
      shapeRendering="crispEdges"
      sx={{ width: 200, height: 200, display: "block", bgcolor: "#fff", borderRadius: 1 }}
    >
      <path d={dark.join("")} fill="#000" />
    </Box>
  );
}
