import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { answer, api } from "../api/client";
import { ConfirmDialog } from "../elements/ConfirmDialog";
import { download } from "../elements/csv";
import { Field } from "../elements/Field";
import { Refusal } from "../elements/Refusal";
import { Section } from "../elements/Section";
import { forget } from "../session/session";

export function DataPage() {
  return (
    <>
      <Export />
      <DeleteAccount />
    </>
  );
}

function Export() {
  const fetchAll = useMutation({
    mutationFn: () => answer(api.GET("/v1/account/export")),
    onSuccess: (found) =>
      download("signalbox-account.json", JSON.stringify(found, null, 1), "application/json"),
  });
  return (
    <Section title="Everything held about you" lead="One JSON document, table by table.">
      <Refusal error={fetchAll.error} />
      <Button variant="outlined" loading={fetchAll.isPending} onClick={() => fetchAll.mutate()}>
        Download your data
      </Button>
    </Section>
  );
}

function DeleteAccount() {
  const [isOpen, setOpen] = useState(false);
  const [password, setPassword] = useState("");
  const navigate = useNavigate();
  const erase = useMutation({
    mutationFn: () => answer(api.POST("/v1/account/delete", { body: { password } })),
    onSuccess: async () => {
      await navigate({ to: "/" });
      forget();
    },
  });
  return (
    <Section
      title="Leave"
      lead="Cancel your subscriptions and retire your versions first. Your handle is never given to anybody else."
    >
      <Button color="error" variant="outlined" onClick={() => setOpen(true)}>
        Delete account
      </Button>
      <ConfirmDialog
        open={isOpen}
        title="Delete your account?"
        confirm="Delete account"
        color="error"
        busy={erase.isPending}
        error={erase.error}
        fields={["password"]}
        onConfirm={() => erase.mutate()}
        onClose={() => setOpen(false)}
      >
        <Typography>
          What is personal is erased, and every login and key ends. What was logged about signals,
          and payments, stay on record without your name. This cannot be taken back.
        </Typography>
        <Field
          name="password"
          label="Password"
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          refused={erase.error}
        />
      </ConfirmDialog>
    </Section>
  );
}
