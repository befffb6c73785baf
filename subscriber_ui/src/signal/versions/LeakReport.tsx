import Alert from "@mui/material/Alert";
import Typography from "@mui/material/Typography";

import type { Schemas } from "../../api/client";
import { count } from "../../format/numbers";

type Report = Schemas["LeakReport"];

interface Props {
  report: Report | null;
  deterministic: boolean | null;
}

const CAUSES: Record<NonNullable<Report["cause"]>, string> = {
  looks_ahead: "it looks ahead",
  whole_history: "it uses the whole history, also what comes after",
  longer_past: "it uses more of the past than it is given hour by hour",
  unknown: "for a reason that was not found",
};

/** What the sandbox found when the version was published. */
export function LeakReport({ report, deterministic }: Props) {
  return (
    <>
      {report === null ? (
        <Alert severity="info" variant="outlined" sx={{ mb: 1.25 }}>
          It was not examined for leaks.
        </Alert>
      ) : (
        <Verdict report={report} />
      )}
      <Typography variant="body2" sx={{ mb: 1.25 }}>
        {sameTwice(deterministic)}
        {report?.carries_state === true && " It carries state from hour to hour."}
      </Typography>
    </>
  );
}

function Verdict({ report }: { report: Report }) {
  const compared = `${count(report.hours_compared)} hours compared`;
  if (report.verdict === "same") {
    return (
      <Alert severity="success" variant="outlined" sx={{ mb: 1.25 }}>
        Leak report: its answers for a whole history are those it gives hour by hour. {compared}.
      </Alert>
    );
  }
  if (report.verdict === "not_comparable") {
    return (
      <Alert severity="info" variant="outlined" sx={{ mb: 1.25 }}>
        Leak report: nothing could be compared{report.reason === null ? "" : `: ${report.reason}`}.
        Live hours are not touched by it: no model is given what comes after.
      </Alert>
    );
  }
  return (
    <Alert severity="error" variant="outlined" sx={{ mb: 1.25 }}>
      Leak report: {count(report.hours_differing)} of {count(report.hours_compared)} hours differ
      {report.cause === null ? "" : ` because ${CAUSES[report.cause]}`}. {report.explanation} Its
      replayed numbers are worth nothing; its live ones stand.
    </Alert>
  );
}

function sameTwice(deterministic: boolean | null): string {
  if (deterministic === null) return "Whether it answers the same twice was not tried.";
  return deterministic
    ? "Two fresh runs of one hour gave the same bytes."
    : "Two fresh runs of one hour gave different bytes: it cannot be reproduced.";
}
