import Button from "@mui/material/Button";
import { useMutation } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useEffectEvent, useState } from "react";

import { ProblemError } from "../api/problem";
import { Field } from "../elements/Field";
import { Refusal } from "../elements/Refusal";
import { RouterLink } from "../elements/RouterLink";
import { signIn, useSession } from "../session/session";
import { EntryCard } from "./EntryCard";
import { useGoOn } from "./next";

const route = getRouteApi("/login");
const ASKS_FOR_CODE = ["totp_required", "invalid_totp"];

export function LoginPage() {
  const { next } = route.useSearch();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [asksForCode, setAsksForCode] = useState(false);
  const login = useMutation({
    mutationFn: () => signIn(email, password, asksForCode ? code : undefined),
    onError: (error) => {
      if (error instanceof ProblemError && ASKS_FOR_CODE.includes(error.code)) setAsksForCode(true);
    },
  });
  useGoesOnWhenSignedIn(next);
  const isWrong = login.error instanceof ProblemError && login.error.code === "invalid_totp";
  const isFirstAsked = login.error instanceof ProblemError && login.error.code === "totp_required";
  return (
    <EntryCard
      title="Log in"
      onSubmit={() => login.mutate()}
      others={
        <>
          <RouterLink to="/forgot">Forgot your password?</RouterLink>
          <RouterLink to="/register" search={{ next }}>
            Create an account
          </RouterLink>
        </>
      }
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
        refused={login.error}
      />
      <Field
        name="password"
        label="Password"
        type="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
        refused={login.error}
      />
      {asksForCode && (
        <Field
          name="totp"
          label="Code"
          autoComplete="one-time-code"
          autoFocus
          required
          value={code}
          onChange={(event) => setCode(event.target.value)}
          error={isWrong}
          helperText="Six digits of your authenticator, or a recovery code"
        />
      )}
      {!isFirstAsked && <Refusal error={login.error} fields={["email", "password"]} />}
      <Button type="submit" variant="contained" size="large" loading={login.isPending}>
        Log in
      </Button>
    </EntryCard>
  );
}

function useGoesOnWhenSignedIn(next: string | undefined): void {
  const session = useSession();
  const goOn = useGoOn(next);
  const leave = useEffectEvent(goOn);
  useEffect(() => {
    if (session.state === "in") leave();
  }, [session.state]);
}
