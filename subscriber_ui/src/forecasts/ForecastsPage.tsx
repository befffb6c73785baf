import Alert from "@mui/material/Alert";
import Paper from "@mui/material/Paper";
import Stack from "@mui/material/Stack";
import { useMemo } from "react";

import { Awaited, Lines } from "../elements/Awaited";
import { CodeTabs } from "../elements/CodeTabs";
import { DataTable, rowsAsCsv } from "../elements/DataTable";
import { DownloadButton } from "../elements/DownloadButton";
import { EmptyState } from "../elements/EmptyState";
import { Figure } from "../elements/Figure";
import { PageHead } from "../elements/PageHead";
import { RouterButton } from "../elements/RouterLink";
import { Section } from "../elements/Section";
import { duration } from "../format/durations";
import { useNow } from "../format/useNow";
import type { Connection } from "../live/events";
import { columnsOf, scalesOf } from "./columns";
import { freshness, type Missed, untilNextSlot } from "./freshness";
import { type Forecast, useLatest, useLive, useTargets } from "./latest";

const PYTHON = `from signalbox import Client

with Client() as client:  # reads SIGNALBOX_URL and SIGNALBOX_API_KEY
    latest = client.latest()  # a polars frame, of everything you subscribe to`;

const AGES_MS = 10_000;

export function ForecastsPage() {
  const latest = useLatest();
  const { connection, missed } = useLive();
  return (
    <>
      <PageHead
        title="My forecasts"
        lead="The newest slot of everything you subscribe to, as it is published."
      />
      <Awaited query={latest} skeleton={<Lines count={9} height={40} />}>
        {(rows) =>
          rows.length === 0 ? (
            <Nothing />
          ) : (
            <Latest rows={rows} connection={connection} missed={missed} />
          )
        }
      </Awaited>
    </>
  );
}

interface Props {
  rows: Forecast[];
  connection: Connection;
  missed: ReadonlyMap<string, Missed>;
}

function Latest({ rows, connection, missed }: Props) {
  const now = useNow(AGES_MS);
  const signals = useMemo(() => [...new Set(rows.map((row) => row.signal))].toSorted(), [rows]);
  const targets = useTargets(signals);
  const columns = columnsOf({ now, missed, targets, returns: scalesOf(rows) });
  return (
    <>
      <Summary rows={rows} signals={signals} connection={connection} missed={missed} now={now} />
      {rows.some((row) => row.is_sample_data) && (
        <Alert severity="info" sx={{ mb: 2 }}>
          Some of these are about sample data: prices that no market made.
        </Alert>
      )}
      <Section
        title="Newest slot"
        lead="Bars of one instrument share a scale; the dotted line is no change."
        flush
        actions={
          <DownloadButton
            file="signalbox-forecasts.csv"
            content={() => rowsAsCsv(columns, inOrder(rows))}
          />
        }
      >
        <DataTable
          caption="My forecasts"
          columns={columns}
          rows={inOrder(rows)}
          rowKey={(row) => `${row.signal} ${row.symbol} ${row.horizon_hours}`}
        />
      </Section>
      <Section
        title="Read them by program"
        lead="With an API key of scope read."
        actions={<RouterButton to="/settings/api-keys">API keys</RouterButton>}
      >
        <CodeTabs name="My latest forecasts" path="/v1/forecasts/latest" python={PYTHON} />
      </Section>
    </>
  );
}

function Summary(props: Props & { signals: string[]; now: number }) {
  const { rows, signals, connection, missed, now } = props;
  const fresh = signals.filter((signal) => {
    const slot = rows.find((row) => row.signal === signal)?.as_of;
    return slot !== undefined && freshness(slot, missed.get(signal), now).tone === "success";
  });
  return (
    <Paper sx={{ p: 2, mb: 2 }}>
      <Stack direction="row" useFlexGap spacing={4} sx={{ flexWrap: "wrap" }}>
        <Countdown />
        <Figure
          label="Of this hour"
          value={`${fresh.length} of ${signals.length}`}
          note={signals.length === 1 ? "signal" : "signals"}
        />
        <Figure label="Stream" value={STREAM[connection][0]} note={STREAM[connection][1]} />
      </Stack>
    </Paper>
  );
}

const STREAM: Record<Connection, [string, string]> = {
  open: ["live", "new forecasts appear by themselves"],
  connecting: ["connecting", "asked for each minute meanwhile"],
  waiting: ["interrupted", "asked for each minute meanwhile"],
};

/** Alone, because it is written anew each second. */
function Countdown() {
  const now = useNow();
  return <Figure label="Next slot" value={`in ${duration(untilNextSlot(now))}`} note="each hour" />;
}

function Nothing() {
  return (
    <EmptyState
      title="No forecasts yet"
      action={
        <Stack direction="row" spacing={1} sx={{ justifyContent: "center" }}>
          <RouterButton to="/" variant="contained">
            See all signals
          </RouterButton>
          <RouterButton to="/subscriptions">Subscriptions</RouterButton>
        </Stack>
      }
    >
      Start a trial or subscribe: what a signal publishes on the hour appears here. If you did, its
      next slot brings the first.
    </EmptyState>
  );
}

function inOrder(rows: Forecast[]): Forecast[] {
  return rows.toSorted(
    (a, b) =>
      a.signal.localeCompare(b.signal) ||
      a.symbol.localeCompare(b.symbol) ||
      a.horizon_hours - b.horizon_hours,
  );
}
