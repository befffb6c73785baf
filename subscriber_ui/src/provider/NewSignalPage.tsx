import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type SubmitEvent, useState } from "react";

import { answer, api } from "../api/client";
import { ProblemError } from "../api/problem";
import { CopyField } from "../elements/CopyField";
import { ErrorState } from "../elements/ErrorState";
import { notify } from "../elements/notices";
import { PageHead } from "../elements/PageHead";
import { Section } from "../elements/Section";
import { useSession } from "../session/session";
import { Standing } from "./desk/Standing";
import { isName, NAME_RULE } from "./names";
import { offerLines } from "./offer/manifest";
import { ALL_OF_PROVIDER } from "./queries";

interface Fields {
  name: string;
  title: string;
  description: string;
  price: string;
  trialDays: string;
}

const EMPTY: Fields = { name: "", title: "", description: "", price: "29.00", trialDays: "14" };

/** Reserves a name; what is offered stands in the manifest that is pushed. */
export function NewSignalPage() {
  const session = useSession();
  const [fields, setFields] = useState(EMPTY);
  const standing = session.state === "in" ? session.me.standing : "good";
  const set = (changed: Partial<Fields>) => setFields((before) => ({ ...before, ...changed }));
  return (
    <>
      <PageHead
        title="New signal"
        lead="Reserve a name before the first push; the first push of a tag would create it too. It stays private until you list it."
      />
      <Standing of={standing} />
      <Box
        sx={{
          display: "grid",
          columnGap: 3,
          gridTemplateColumns: { xs: "minmax(0, 1fr)", md: "minmax(0, 3fr) minmax(0, 2fr)" },
          alignItems: "start",
        }}
      >
        <CreateForm fields={fields} set={set} />
        <OfferSection fields={fields} set={set} />
      </Box>
    </>
  );
}

interface FormProps {
  fields: Fields;
  set: (changed: Partial<Fields>) => void;
}

function CreateForm({ fields, set }: FormProps) {
  const go = useNavigate();
  const queries = useQueryClient();
  const [wasSent, setSent] = useState(false);
  const creating = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/v1/signals", {
          body: {
            name: fields.name,
            title: fields.title === "" ? null : fields.title,
            description: fields.description,
          },
        }),
      ),
    onSuccess: (made) => {
      notify(`${made.signal} is created`);
      void queries.invalidateQueries({ queryKey: ALL_OF_PROVIDER });
      void go({ to: "/provider/signals/$name", params: { name: made.name } });
    },
  });
  const problem = creating.error instanceof ProblemError ? creating.error : null;
  const isRuleBroken = fields.name !== "" && !isName(fields.name);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setSent(true);
    if (isName(fields.name)) creating.mutate();
  };
  return (
    <Section title="What it is called">
      <Box component="form" noValidate onSubmit={submit} sx={{ pt: 1 }}>
        <Stack spacing={2}>
          <TextField
            label="Name"
            value={fields.name}
            onChange={(event) => {
              creating.reset();
              set({ name: event.target.value });
            }}
            error={
              isRuleBroken || (wasSent && fields.name === "") || problem?.code === "signal_taken"
            }
            helperText={
              problem?.code === "signal_taken"
                ? problem.message
                : `${NAME_RULE}. A name once used stays used.`
            }
            slotProps={{
              htmlInput: {
                maxLength: 40,
                autoCapitalize: "none",
                spellCheck: false,
                required: true,
              },
            }}
          />
          <TextField
            label="Title"
            value={fields.title}
            onChange={(event) => set({ title: event.target.value })}
            error={problem?.fields["title"] !== undefined}
            helperText={
              problem?.fields["title"] ?? "Shown in the catalogue; the name, if it is empty."
            }
            slotProps={{ htmlInput: { maxLength: 80 } }}
          />
          <TextField
            label="Description"
            multiline
            minRows={3}
            value={fields.description}
            onChange={(event) => set({ description: event.target.value })}
            error={problem?.fields["description"] !== undefined}
            helperText={
              problem?.fields["description"] ??
              "What it does, for people. Title and description of the manifest replace them with each version."
            }
            slotProps={{ htmlInput: { maxLength: 4000 } }}
          />
          {creating.error !== null && problem?.code !== "signal_taken" && (
            <ErrorState error={creating.error} />
          )}
          <div>
            <Button type="submit" variant="contained" loading={creating.isPending}>
              Create signal
            </Button>
          </div>
        </Stack>
      </Box>
    </Section>
  );
}

function OfferSection({ fields, set }: FormProps) {
  const lines = offerLines(fields.price, fields.trialDays);
  return (
    <Section
      title="Offer"
      lead="The price is part of what you push: it stands in signal.toml, and binds who subscribes from that version on."
    >
      <Stack direction={{ xs: "column", sm: "row" }} spacing={2} sx={{ pt: 1, mb: 2 }}>
        <TextField
          label="Price a month, EUR"
          value={fields.price}
          onChange={(event) => set({ price: event.target.value })}
          error={lines === null}
          helperText="0 to 99999.99"
          slotProps={{ htmlInput: { inputMode: "decimal" } }}
        />
        <TextField
          label="Trial days"
          value={fields.trialDays}
          onChange={(event) => set({ trialDays: event.target.value })}
          error={lines === null}
          helperText="0 to 30, for a first subscription"
          slotProps={{ htmlInput: { inputMode: "numeric" } }}
        />
      </Stack>
      {lines !== null && <CopyField name="the offer for signal.toml" text={lines} />}
    </Section>
  );
}
