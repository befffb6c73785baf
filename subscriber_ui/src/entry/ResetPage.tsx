import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useMutation } from "@tanstack/react-query";
import { useLocation } from "@tanstack/react-router";
import { useState } from "react";

import { answer, api } from "../api/client";
import { Field } from "../elements/Field";
import { Refusal } from "../elements/Refusal";
import { RouterButton, RouterLink } from "../elements/RouterLink";
import { EntryCard } from "./EntryCard";
import { tokenIn } from "./letters";

export function ResetPage() {
  // Behind `#`: that part of an address is sent to no server.
  const hash = useLocation({ select: (location) => location.hash });
  const [shown, setShown] = useState(tokenIn(hash) ?? "");
  const [password, setPassword] = useState("");
  const token = tokenIn(shown);
  const reset = useMutation({
    mutationFn: () =>
      answer(api.POST("/v1/auth/password/reset", { body: { token: token ?? "", password } })),
  });
  if (reset.isSuccess) {
    return (
      <EntryCard title="Your password is changed">
        <Typography>Every login has ended; log in with the new password.</Typography>
        <RouterButton to="/login" variant="contained" size="large">
          Log in
        </RouterButton>
      </EntryCard>
    );
  }
  const isOdd = shown !== "" && token === null;
  return (
    <EntryCard
      title="Set a new password"
      onSubmit={() => reset.mutate()}
      others={<RouterLink to="/forgot">Ask for another letter</RouterLink>}
    >
      <Field
        name="token"
        label="The letter's link"
        autoComplete="off"
        required
        value={shown}
        onChange={(event) => setShown(event.target.value)}
        error={isOdd}
        helperText={isOdd ? "Paste the whole link" : "Or what stands behind = in it"}
      />
      <Field
        name="password"
        label="Password"
        type="password"
        autoComplete="new-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
        refused={reset.error}
        helperText="12 characters or more"
        slotProps={{ htmlInput: { minLength: 12, maxLength: 1024 } }}
      />
      <Refusal error={reset.error} fields={["password"]} />
      <Button
        type="submit"
        variant="contained"
        size="large"
        loading={reset.isPending}
        disabled={token === null}
      >
        Set password
      </Button>
    </EntryCard>
  );
}
