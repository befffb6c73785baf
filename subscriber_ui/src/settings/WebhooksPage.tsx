import Stack from "@mui/material/Stack";

import { Awaited, Lines } from "../elements/Awaited";
import { EmptyState } from "../elements/EmptyState";
import { Section } from "../elements/Section";
import { CreateWebhook } from "./CreateWebhook";
import { useWebhooks } from "./webhooks";
import { WebhookCard } from "./WebhookCard";

export function WebhooksPage() {
  const webhooks = useWebhooks();
  return (
    <Section
      title="Webhooks"
      lead="What happens, posted to your own server and signed. Twenty are possible."
      actions={<CreateWebhook />}
    >
      <Awaited query={webhooks} skeleton={<Lines count={2} height={120} />}>
        {(rows) =>
          rows.length === 0 ? (
            <EmptyState title="No webhook yet">
              Name an https address of yours: each new forecast is sent there within seconds.
            </EmptyState>
          ) : (
            <Stack spacing={2}>
              {rows.map((webhook) => (
                <WebhookCard key={webhook.id} webhook={webhook} />
              ))}
            </Stack>
          )
        }
      </Awaited>
    </Section>
  );
}
