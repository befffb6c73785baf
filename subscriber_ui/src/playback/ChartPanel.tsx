import Box from "@mui/material/Box";
import { useEffect, useRef } from "react";

import { useChartColors } from "../charts/colors";
import { PriceChart } from "../charts/priceChart";
import { useZone } from "../format/instants";
import { pictureOf } from "./marks";
import type { Stage } from "./usePlayer";

interface Props {
  stage: Stage;
  horizon: number;
  hours: number;
  /** Told the chart while there is one, for its image. */
  onChart: (chart: PriceChart | null) => void;
  name: string;
  /** Id of what tells it to those who do not see it. */
  describedBy: string;
}

/** The chart of an instant, painted once a frame without React. */
export function ChartPanel({ stage, horizon, hours, onChart, name, describedBy }: Props) {
  const container = useRef<HTMLDivElement>(null);
  const colors = useChartColors();
  const zone = useZone();

  useEffect(() => {
    if (container.current === null) return undefined;
    const made = new PriceChart(container.current, colors, zone);
    onChart(made);
    let isScaled = false;
    const stopped = stage.onFrame(({ record, state }) => {
      if (state.shown === null) return;
      const picture = pictureOf(record, state.shown, hours, horizon, colors);
      const last = picture.candles.at(-1);
      if (!isScaled && last !== undefined) {
        made.setPrecision(last.close);
        isScaled = true;
      }
      made.show(picture.candles, picture.ahead, picture.marks);
    });
    return () => {
      stopped();
      made.remove();
      onChart(null);
    };
  }, [stage, horizon, hours, colors, zone, onChart]);

  return (
    <Box
      ref={container}
      role="img"
      aria-label={name}
      aria-describedby={describedBy}
      sx={{ height: { xs: 320, md: 440 } }}
    />
  );
}
