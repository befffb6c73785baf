import Image from "@mui/icons-material/ImageOutlined";
import Button from "@mui/material/Button";
import Stack from "@mui/material/Stack";
import type { RefObject } from "react";

import type { PriceChart } from "../charts/priceChart";
import { CodeTabs } from "../elements/CodeTabs";
import { download } from "../elements/csv";
import { DownloadButton } from "../elements/DownloadButton";
import { notify } from "../elements/notices";
import { pathOf, type Played, pythonOf } from "./asking";
import type { KnownRecord } from "./record";
import { written } from "./search";
import { tableOf } from "./table";

interface Props {
  record: KnownRecord;
  played: Played;
  at: number;
  hours: number;
  chart: RefObject<PriceChart | null>;
}

/** What is shown, to take along: as a table, an image, and by the API. */
export function Sharing({ record, played, at, hours, chart }: Props) {
  const { name, symbol, horizon } = played;
  const file = `${name}-${symbol}-${horizon}h-${written(at).replaceAll(":", "")}`;
  return (
    <>
      <Stack direction="row" useFlexGap spacing={1} sx={{ flexWrap: "wrap", mb: 1 }}>
        <DownloadButton file={`${file}.csv`} content={() => tableOf(record, at, hours, horizon)} />
        <Button size="small" startIcon={<Image />} onClick={() => saveImage(chart.current, file)}>
          PNG
        </Button>
      </Stack>
      <CodeTabs
        name="What is shown, by the API"
        path={pathOf(played, at)}
        python={pythonOf(played, at)}
      />
    </>
  );
}

function saveImage(chart: PriceChart | null, file: string): void {
  chart?.image().toBlob((image) => {
    if (image === null) notify("The browser made no image of the chart.", "error");
    else download(`${file}.png`, image, "image/png");
  });
}
