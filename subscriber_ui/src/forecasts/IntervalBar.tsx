import Box from "@mui/material/Box";
import Tooltip from "@mui/material/Tooltip";

interface Props {
  /** [probability, value], rising. */
  quantiles: [number, number][];
  point: number;
  /** The ends of the scale. */
  scale: [number, number];
  /** A value as people read it. */
  written: (value: number) => string;
}

const WIDTH = 120;
const HEIGHT = 20;

/** The forecast distribution in a line: its outer quantiles, the point, and nought. */
export function IntervalBar({ quantiles, point, scale, written }: Props) {
  const [low, high] = [quantiles[0], quantiles.at(-1)];
  if (low === undefined || high === undefined) return null;
  const [from, to] = scale;
  const x = (value: number) =>
    to === from ? WIDTH / 2 : Math.min(1, Math.max(0, (value - from) / (to - from))) * WIDTH;
  const share = Math.round((high[0] - low[0]) * 100);
  const said = `${written(low[1])} to ${written(high[1])}: between them with ${share} % probability`;
  return (
    <Tooltip title={said}>
      <Box
        component="svg"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={said}
        tabIndex={0}
        sx={{ width: WIDTH, height: HEIGHT, display: "block", ml: "auto" }}
      >
        {from < 0 && to > 0 && (
          <Box
            component="line"
            x1={x(0)}
            x2={x(0)}
            y1={0}
            y2={HEIGHT}
            sx={{ stroke: "var(--mui-palette-text-secondary)", strokeDasharray: "2 2" }}
          />
        )}
        <Box
          component="rect"
          x={x(low[1])}
          y={HEIGHT / 2 - 4}
          width={Math.max(1, x(high[1]) - x(low[1]))}
          height={8}
          rx={4}
          sx={{ fill: "var(--mui-palette-info-main)", opacity: 0.35 }}
        />
        <Box
          component="circle"
          cx={x(point)}
          cy={HEIGHT / 2}
          r={3.5}
          sx={{ fill: "var(--mui-palette-info-main)" }}
        />
      </Box>
    </Tooltip>
  );
}
