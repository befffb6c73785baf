import Box from "@mui/material/Box";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";

import { Absent } from "../elements/Figure";
import { ProvenanceBadge } from "../elements/ProvenanceBadge";
import { Instant } from "../format/Instant";
import { percent } from "../format/numbers";
import { provenanceAt } from "./made";
import type { KnownRecord } from "./record";
import { forecastWords, intervalWords, type Moment, outcomeWords, price } from "./words";

/** What could be read at the instant: the last close, the newest forecast, what became of one. */
export function Readout({ moment, record }: { moment: Moment; record: KnownRecord }) {
  const { bar, newest, resolved, at } = moment;
  return (
    <Box
      sx={{
        display: "grid",
        gap: 2,
        gridTemplateColumns: { xs: "1fr", md: "1fr 2fr 2fr" },
        fontVariantNumeric: "tabular-nums",
        minHeight: { md: 76 },
      }}
    >
      <Part label="Last close known">
        {bar === null ? (
          <Absent reason="No bar was known yet" />
        ) : (
          <strong>{price(bar.close)}</strong>
        )}
        {bar !== null && (
          <Note>
            hour to <Instant at={bar.closesAt * 1000} />
            {bar.isHistory && ", imported afterwards"}
          </Note>
        )}
      </Part>
      <Part label="Newest forecast">
        {newest === null ? (
          <Absent reason="None could be read yet" />
        ) : (
          <>
            <Stack direction="row" useFlexGap spacing={1} sx={{ flexWrap: "wrap" }}>
              <strong>{forecastWords(newest, record.bars.closeAt(newest.slot, at))}</strong>
              <ProvenanceBadge of={provenanceAt(newest, at)} />
              <span>{newest.version}</span>
            </Stack>
            <Note>
              made <Instant at={newest.slot * 1000} />, for <Instant at={newest.targetAt * 1000} />
              {[
                intervalWords(newest, record.bars.closeAt(newest.slot, at)),
                up(newest.probabilityUp),
              ]
                .filter((words) => words !== null)
                .map((words) => `; ${words}`)}
              {newest.isUnopened && "; its opening is lost, so nothing proves these numbers"}
            </Note>
          </>
        )}
      </Part>
      <Part label="Last resolved forecast">
        {resolved === null ? (
          <Absent reason="The hour of no forecast had come yet" />
        ) : (
          <>
            <strong>{outcomeWords(resolved.outcome)}</strong>
            <Note>
              {forecastWords(resolved.made, resolved.outcome.base)} was forecast{" "}
              <Instant at={resolved.made.slot * 1000} />; the close was{" "}
              {price(resolved.outcome.close)}
            </Note>
          </>
        )}
      </Part>
    </Box>
  );
}

function up(probability: number | null): string | null {
  return probability === null ? null : `up with ${percent(probability, 0)}`;
}

function Part({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <Typography variant="caption" color="textSecondary" component="div">
        {label}
      </Typography>
      {children}
    </div>
  );
}

function Note({ children }: { children: ReactNode }) {
  return (
    <Typography variant="body2" color="textSecondary" component="div">
      {children}
    </Typography>
  );
}
