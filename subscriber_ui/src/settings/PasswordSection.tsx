import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { answer, api } from "../api/client";
import { Field } from "../elements/Field";
import { notify } from "../elements/notices";
import { Section } from "../elements/Section";
import { Form } from "./Form";

const NOTHING = { old_password: "", new_password: "" };

export function PasswordSection() {
  const [body, setBody] = useState(NOTHING);
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: () => answer(api.POST("/v1/auth/password", { body })),
    onSuccess: async () => {
      setBody(NOTHING);
      notify("Your password is changed; your other logins have ended");
      await client.invalidateQueries({ queryKey: ["sessions"] });
    },
  });
  return (
    <Section title="Password" lead="Your other logins end when you change it.">
      <Form
        submit="Change password"
        busy={change.isPending}
        error={change.error}
        fields={Object.keys(NOTHING)}
        onSubmit={() => change.mutate()}
      >
        <Field
          name="old_password"
          label="Current password"
          type="password"
          autoComplete="current-password"
          required
          value={body.old_password}
          onChange={(event) => setBody({ ...body, old_password: event.target.value })}
          refused={change.error}
        />
        <Field
          name="new_password"
          label="New password"
          type="password"
          autoComplete="new-password"
          required
          value={body.new_password}
          onChange={(event) => setBody({ ...body, new_password: event.target.value })}
          refused={change.error}
          helperText="12 characters or more"
          slotProps={{ htmlInput: { minLength: 12, maxLength: 1024 } }}
        />
      </Form>
    </Section>
  );
}
