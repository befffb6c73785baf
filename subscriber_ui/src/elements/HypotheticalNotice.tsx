import Alert from "@mui/material/Alert";

/** Stands wherever numbers of replayed or backfilled slots are shown. */
export function HypotheticalNotice({ of = "replayed and backfilled" }: { of?: string }) {
  return (
    <Alert severity="warning" variant="outlined" role="note" sx={{ mb: 2 }}>
      <strong>Hypothetical performance.</strong> Numbers of {of} slots were computed after the fact.
      Nobody could have read those forecasts then, nobody traded them, and they promise nothing.
    </Alert>
  );
}
