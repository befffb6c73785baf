import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { answer, api } from "../api/client";
import { ConfirmDialog } from "../elements/ConfirmDialog";
import { notify } from "../elements/notices";
import { SecretDialog } from "./SecretDialog";
import { type WebhookBody, WebhookFields } from "./WebhookFields";
import { byId, type EventName, useWebhooksChanged, type Webhook } from "./webhooks";

interface Props {
  webhook: Webhook;
}

/** What can be done with a webhook. */
export function WebhookActs({ webhook, onPinged }: Props & { onPinged: () => void }) {
  return (
    <>
      <Ping webhook={webhook} onPinged={onPinged} />
      <Change webhook={webhook} />
      <Switch webhook={webhook} />
      <Rotate webhook={webhook} />
      <Delete webhook={webhook} />
    </>
  );
}

function Ping({ webhook, onPinged }: Props & { onPinged: () => void }) {
  const client = useQueryClient();
  const ping = useMutation({
    mutationFn: () => answer(api.POST("/v1/webhooks/{webhook_id}/ping", { params: byId(webhook) })),
    onSuccess: async () => {
      onPinged();
      await client.invalidateQueries({ queryKey: ["deliveries", webhook.id] });
    },
    onError: (error) => notify(error.message, "error"),
  });
  return (
    <Button size="small" loading={ping.isPending} onClick={() => ping.mutate()}>
      Ping
    </Button>
  );
}

function Change({ webhook }: Props) {
  const [body, setBody] = useState<WebhookBody | null>(null);
  const changed = useWebhooksChanged();
  const change = useMutation({
    mutationFn: (changes: WebhookBody) =>
      answer(api.PATCH("/v1/webhooks/{webhook_id}", { params: byId(webhook), body: changes })),
    onSuccess: async () => {
      setBody(null);
      await changed();
    },
  });
  const { url, description, events } = webhook;
  return (
    <>
      <Button
        size="small"
        onClick={() => setBody({ url, description, events: events as EventName[] })}
      >
        Change
      </Button>
      {body !== null && (
        <ConfirmDialog
          open
          title="Change the webhook"
          confirm="Save"
          busy={change.isPending}
          disabled={body.events.length === 0}
          error={change.error}
          fields={["url", "description"]}
          onConfirm={() => change.mutate(body)}
          onClose={() => setBody(null)}
        >
          <WebhookFields body={body} onChange={setBody} refused={change.error} />
        </ConfirmDialog>
      )}
    </>
  );
}

function Switch({ webhook }: Props) {
  const changed = useWebhooksChanged();
  const change = useMutation({
    mutationFn: () =>
      answer(
        api.PATCH("/v1/webhooks/{webhook_id}", {
          params: byId(webhook),
          body: { is_enabled: !webhook.is_enabled },
        }),
      ),
    onSuccess: changed,
    onError: (error) => notify(error.message, "error"),
  });
  return (
    <Button size="small" loading={change.isPending} onClick={() => change.mutate()}>
      {webhook.is_enabled ? "Disable" : "Enable"}
    </Button>
  );
}

function Rotate({ webhook }: Props) {
  const [isOpen, setOpen] = useState(false);
  const rotate = useMutation({
    mutationFn: () =>
      answer(api.POST("/v1/webhooks/{webhook_id}/rotate-secret", { params: byId(webhook) })),
    onSuccess: () => setOpen(false),
  });
  return (
    <>
      <Button size="small" onClick={() => setOpen(true)}>
        New secret
      </Button>
      <ConfirmDialog
        open={isOpen}
        title="Make a new secret?"
        confirm="Make a new secret"
        busy={rotate.isPending}
        error={rotate.error}
        onConfirm={() => rotate.mutate()}
        onClose={() => setOpen(false)}
      >
        <Typography>
          For 24 hours deliveries are signed by both, then by the new one alone.
        </Typography>
      </ConfirmDialog>
      {rotate.data !== undefined && (
        <SecretDialog
          title="The webhook's new secret"
          name="webhook secret"
          secret={rotate.data.secret}
          onClose={() => rotate.reset()}
        />
      )}
    </>
  );
}

function Delete({ webhook }: Props) {
  const [isOpen, setOpen] = useState(false);
  const changed = useWebhooksChanged();
  const erase = useMutation({
    mutationFn: () => answer(api.DELETE("/v1/webhooks/{webhook_id}", { params: byId(webhook) })),
    onSuccess: async () => {
      setOpen(false);
      await changed();
    },
  });
  return (
    <>
      <Button size="small" color="error" onClick={() => setOpen(true)}>
        Delete
      </Button>
      <ConfirmDialog
        open={isOpen}
        title="Delete the webhook?"
        confirm="Delete"
        color="error"
        busy={erase.isPending}
        error={erase.error}
        onConfirm={() => erase.mutate()}
        onClose={() => setOpen(false)}
      >
        <Typography>
          Nothing more is sent to {webhook.url}, and its deliveries are erased.
        </Typography>
      </ConfirmDialog>
    </>
  );
}
