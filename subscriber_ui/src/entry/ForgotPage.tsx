import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { answer, api } from "../api/client";
import { Field } from "../elements/Field";
import { Refusal } from "../elements/Refusal";
import { RouterLink } from "../elements/RouterLink";
import { EntryCard } from "./EntryCard";

export function ForgotPage() {
  const [email, setEmail] = useState("");
  const ask = useMutation({
    mutationFn: () => answer(api.POST("/v1/auth/password/forgot", { body: { email } })),
  });
  const login = <RouterLink to="/login">Back to the login</RouterLink>;
  if (ask.isSuccess) {
    return (
      <EntryCard title="Look into your mail" others={login}>
        <Typography>
          If there is an account for <strong>{email}</strong>, a letter is on its way. Its link
          works once, for an hour.
        </Typography>
        <Typography>
          <RouterLink to="/reset">Enter what the letter says</RouterLink>
        </Typography>
        <Button onClick={() => ask.reset()}>Use another address</Button>
      </EntryCard>
    );
  }
  return (
    <EntryCard
      title="Forgot your password?"
      lead="We send a link by which you set a new one."
      onSubmit={() => ask.mutate()}
      others={login}
    >
      <Field
        name="email"
        label="E-mail"
        type="email"
        autoComplete="username"
        autoFocus
        required
        value={email}
        onChange={(event) => setEmail(event.target.value)}
        refused={ask.error}
      />
      <Refusal error={ask.error} fields={["email"]} />
      <Button type="submit" variant="contained" size="large" loading={ask.isPending}>
        Send the letter
      </Button>
    </EntryCard>
  );
}
