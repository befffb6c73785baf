import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { answer, api } from "../api/client";
import { ConfirmDialog } from "../elements/ConfirmDialog";
import { SecretDialog } from "./SecretDialog";
import { type WebhookBody, WebhookFields } from "./WebhookFields";
import { useWebhooksChanged } from "./webhooks";

const NOTHING: WebhookBody = { url: "", description: "", events: ["forecast", "missed"] };

export function CreateWebhook() {
  const [isOpen, setOpen] = useState(false);
  const [body, setBody] = useState(NOTHING);
  const changed = useWebhooksChanged();
  const create = useMutation({
    mutationFn: () => answer(api.POST("/v1/webhooks", { body })),
    onSuccess: async () => {
      setOpen(false);
      setBody(NOTHING);
      await changed();
    },
  });
  return (
    <>
      <Button variant="contained" onClick={() => setOpen(true)}>
        Create webhook
      </Button>
      <ConfirmDialog
        open={isOpen}
        title="New webhook"
        confirm="Create"
        busy={create.isPending}
        disabled={body.events.length === 0}
        error={create.error}
        fields={["url", "description"]}
        onConfirm={() => create.mutate()}
        onClose={() => setOpen(false)}
      >
        <WebhookFields body={body} onChange={setBody} refused={create.error} />
      </ConfirmDialog>
      {create.data !== undefined && (
        <SecretDialog
          title="The webhook's secret"
          name="webhook secret"
          secret={create.data.secret}
          onClose={() => create.reset()}
        >
          <Typography>Your server checks the signature of each delivery by it.</Typography>
        </SecretDialog>
      )}
    </>
  );
}
