import Box from "@mui/material/Box";
import Paper from "@mui/material/Paper";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useState } from "react";

import type { Schemas } from "../api/client";
import { Awaited, Lines } from "../elements/Awaited";
import { EmptyState } from "../elements/EmptyState";
import { useDefinitions } from "../elements/MetricName";
import { PageHead } from "../elements/PageHead";

type Metric = Schemas["Metric"];

const BETTER = { higher: "higher is better", lower: "lower is better" };

/** Every measure's formula, unit and source, as the code has them that computes it. */
export function DefinitionsPage() {
  const definitions = useDefinitions();
  const [words, setWords] = useState("");
  return (
    <>
      <PageHead
        title="Definitions"
        lead="Every measure as the code that computes it has it. x is the forecast, y the outcome, r no change, n the hourly return of the trading rule after costs."
        actions={
          <TextField
            type="search"
            placeholder="Find a measure"
            value={words}
            onChange={(event) => setWords(event.target.value)}
            slotProps={{ htmlInput: { "aria-label": "Find a measure" } }}
            sx={{ minWidth: 220 }}
          />
        }
      />
      <Awaited query={definitions} skeleton={<Lines count={12} height={72} />}>
        {({ items }) => {
          const found = items.filter((each) => matches(each, words));
          return found.length === 0 ? (
            <EmptyState title="No measure has these words">Try fewer of them.</EmptyState>
          ) : (
            <Paper component="dl" sx={{ m: 0 }}>
              {found.map((each) => (
                <Definition key={each.name} metric={each} />
              ))}
            </Paper>
          );
        }}
      </Awaited>
    </>
  );
}

function matches(metric: Metric, words: string): boolean {
  const text = `${metric.name.replaceAll("_", " ")} ${metric.name} ${metric.formula} ${metric.source}`;
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.toLowerCase().includes(word));
}

function Definition({ metric }: { metric: Metric }) {
  const { better } = metric;
  return (
    <Box
      id={metric.name}
      sx={{
        display: "grid",
        gap: { xs: 0.5, md: 2 },
        gridTemplateColumns: { md: "220px 1fr" },
        p: 2,
        borderTop: 1,
        borderColor: "divider",
        "&:first-of-type": { borderTop: 0 },
      }}
    >
      <Typography component="dt" variant="h3" sx={{ overflowWrap: "anywhere" }}>
        {metric.name.replaceAll("_", " ")}
        <Typography variant="caption" color="textSecondary" component="div">
          <code>{metric.name}</code>
        </Typography>
      </Typography>
      <Box component="dd" sx={{ m: 0, minWidth: 0 }}>
        <Typography sx={{ overflowWrap: "anywhere" }}>{metric.formula}</Typography>
        <Typography variant="body2" color="textSecondary">
          {metric.unit} · {better === null ? "neither way is better" : BETTER[better]} · over{" "}
          {metric.over} · {metric.source}
        </Typography>
      </Box>
    </Box>
  );
}
