import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Collapse from "@mui/material/Collapse";
import Paper from "@mui/material/Paper";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { useId, useState } from "react";

import { StateBadge } from "../elements/StateBadge";
import { useZone } from "../format/instants";
import { Deliveries } from "./Deliveries";
import { WebhookActs } from "./WebhookActs";
import { healthOf, type Webhook } from "./webhooks";

export function WebhookCard({ webhook }: { webhook: Webhook }) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const { state, why } = healthOf(webhook, useZone());
  return (
    <Paper component="article" aria-label={webhook.url} sx={{ p: 2 }}>
      <Stack direction="row" spacing={1.25} sx={{ alignItems: "center", minWidth: 0 }}>
        <Typography variant="h3" sx={{ overflowWrap: "anywhere" }}>
          {webhook.url}
        </Typography>
        <StateBadge state={state} />
      </Stack>
      <Typography variant="body2" color="textSecondary" sx={{ mt: 0.5 }}>
        {webhook.description !== "" && `${webhook.description} · `}
        {webhook.events.join(", ")}
      </Typography>
      {why !== null && (
        <Alert severity="warning" sx={{ mt: 1 }}>
          {why}
        </Alert>
      )}
      <Stack direction="row" spacing={0.5} useFlexGap sx={{ mt: 1.5, flexWrap: "wrap" }}>
        <Button
          size="small"
          aria-expanded={isOpen}
          aria-controls={id}
          onClick={() => setOpen(!isOpen)}
        >
          Deliveries
        </Button>
        <WebhookActs webhook={webhook} onPinged={() => setOpen(true)} />
      </Stack>
      <Collapse in={isOpen} id={id} unmountOnExit>
        <Deliveries webhook={webhook} />
      </Collapse>
    </Paper>
  );
}
