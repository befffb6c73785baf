import { useQuery } from "@tanstack/react-query";

import { answer, api } from "../api/client";
import { Awaited } from "../elements/Awaited";
import { CodeTabs } from "../elements/CodeTabs";
import { Section } from "../elements/Section";
import { API_KEYS, ApiKeys } from "./ApiKeys";
import { CreateApiKey } from "./CreateApiKey";
import { SigningKeysSection } from "./SigningKeysSection";

const PYTHON = `import os
from signalbox import Client

os.environ["SIGNALBOX_URL"] = "${location.origin}"
with Client(api_key="sk_...") as client:
    print(client.latest())`;

export function ApiKeysPage() {
  const keys = useQuery({
    queryKey: API_KEYS,
    queryFn: async () => (await answer(api.GET("/v1/api-keys"))).items,
  });
  return (
    <>
      <Section
        title="API keys"
        lead="For programs. A key does what its scopes say, and never changes your account."
        actions={<CreateApiKey />}
        flush
      >
        <Awaited query={keys}>{(rows) => <ApiKeys rows={rows} />}</Awaited>
      </Section>
      <Section title="With a key">
        <CodeTabs name="Read with a key" path="/v1/forecasts/latest" python={PYTHON} />
      </Section>
      <SigningKeysSection />
    </>
  );
}
