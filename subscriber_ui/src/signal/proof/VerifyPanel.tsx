import VerifiedOutlined from "@mui/icons-material/VerifiedOutlined";
import Alert from "@mui/material/Alert";
import AlertTitle from "@mui/material/AlertTitle";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import LinearProgress from "@mui/material/LinearProgress";
import Typography from "@mui/material/Typography";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { CopyField } from "../../elements/CopyField";
import { type Column, DataTable } from "../../elements/DataTable";
import { ErrorState } from "../../elements/ErrorState";
import { Instant } from "../../format/Instant";
import { count } from "../../format/numbers";
import type { Name } from "../queries";
import { type Counts, DoesNotHold, type Step, type Verdict, verifySignal } from "./verification";

const STEPS: Record<Step, [string, number]> = {
  loading: ["Loading the verifier", 10],
  fetching: ["Fetching the evidence", 35],
  checking: ["Checking signatures, the tree, every leaf and every opening", 65],
  remembering: ["Comparing with what this browser saw before", 95],
};

/** The evidence checked here and now, with the verdict in words. */
export function VerifyPanel({ path }: { path: Name }) {
  const [step, setStep] = useState<Step>("loading");
  const verified = useMutation({ mutationFn: () => verifySignal(path, setStep) });
  const [said, share] = STEPS[step];
  return (
    <>
      <Button
        variant="contained"
        startIcon={<VerifiedOutlined />}
        disabled={verified.isPending}
        onClick={() => verified.mutate()}
      >
        Verify in this browser
      </Button>
      <Box aria-live="polite" sx={{ mt: 2 }}>
        {verified.isPending && (
          <>
            <Typography variant="body2" sx={{ mb: 1 }}>
              {said} …
            </Typography>
            <LinearProgress variant="determinate" value={share} aria-label={said} />
          </>
        )}
        {verified.isError && <Failure error={verified.error} again={() => verified.mutate()} />}
        {verified.isSuccess && <Holds verdict={verified.data} />}
      </Box>
    </>
  );
}

function Failure({ error, again }: { error: unknown; again: () => void }) {
  if (!(error instanceof DoesNotHold)) return <ErrorState error={error} retry={again} />;
  return (
    <Alert severity="error" variant="outlined">
      <AlertTitle>It does not hold: {error.code}</AlertTitle>
      {error.message}
      {error.notes.map((note, at) => (
        <Box key={note} sx={{ mt: 1 }}>
          <CopyField name={`checkpoint ${at + 1}`} text={note} />
        </Box>
      ))}
    </Alert>
  );
}

function Holds({ verdict }: { verdict: Verdict }) {
  const { total } = verdict;
  const rows = verdict.versions.map(([version, counts]) => ({ version, ...counts }));
  return (
    <>
      <Alert severity="success" variant="outlined" sx={{ mb: 2 }}>
        <AlertTitle>Everything holds</AlertTitle>
        {count(verdict.leaves)} leaves of this signal are in the log {verdict.origin} of{" "}
        {count(verdict.size)} leaves, in order, with none exchanged and no owed hour left out.{" "}
        {Number.isFinite(verdict.firstSlot) && (
          <>
            Slots from <Instant at={verdict.firstSlot * 1000} /> to{" "}
            <Instant at={verdict.lastSlot * 1000} />:{" "}
          </>
        )}
        {count(total.live)} live, {count(total.late)} late, {count(total.missed)} missed.
        {verdict.datedAt !== null && (
          <>
            {" "}
            Dated <Instant at={verdict.datedAt * 1000} />.
          </>
        )}
      </Alert>
      <Typography variant="body2" sx={{ mb: 2 }}>
        <strong>Whom this rests on:</strong> {verdict.trust}.{" "}
        {verdict.isSuggested
          ? "These keys were named by this platform itself. It contradicts neither itself nor what this browser saw before; to rest on others, put keys that you have from elsewhere into /verify/."
          : "By the policy that you gave in /verify/."}
      </Typography>
      <DataTable
        caption="What is proved of the slots of each version"
        columns={COLUMNS}
        rows={rows}
        rowKey={(row) => row.version}
      />
    </>
  );
}

type Row = Counts & { version: string };

const COLUMNS: Column<Row>[] = [
  { id: "version", header: "Version", value: (row) => row.version },
  ...(["live", "late", "undated", "missed", "unopened", "paused"] as const).map(
    (id): Column<Row> => ({
      id,
      header: id,
      value: (row) => row[id],
      cell: (row) => count(row[id]),
      numeric: true,
    }),
  ),
];
