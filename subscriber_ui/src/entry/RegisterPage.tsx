import Button from "@mui/material/Button";
import Checkbox from "@mui/material/Checkbox";
import FormControlLabel from "@mui/material/FormControlLabel";
import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";

import { answer, api } from "../api/client";
import { ErrorState } from "../elements/ErrorState";
import { Field } from "../elements/Field";
import { Refusal } from "../elements/Refusal";
import { RouterLink } from "../elements/RouterLink";
import { signUp, useSession } from "../session/session";
import { EntryCard } from "./EntryCard";
import { LookIntoMail } from "./LookIntoMail";

const route = getRouteApi("/register");
const FIELDS = ["email", "password", "handle"];

export function RegisterPage() {
  const { next } = route.useSearch();
  const session = useSession();
  if (session.state === "in") return <LookIntoMail me={session.me} next={next} />;
  return <RegisterForm next={next} />;
}

function RegisterForm({ next }: { next: string | undefined }) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [handle, setHandle] = useState("");
  const [accepts, setAccepts] = useState(false);
  const terms = useQuery({
    queryKey: ["terms"],
    queryFn: () => answer(api.GET("/v1/account/terms")),
  });
  const version = terms.data?.version ?? null;
  const register = useMutation({
    mutationFn: () => signUp({ email, password, handle, accepted_terms: version }),
  });
  return (
    <EntryCard
      title="Create an account"
      lead="Reading the catalogue and every public record needs none. Trials and publishing do."
      onSubmit={() => register.mutate()}
      others={
        <RouterLink to="/login" search={{ next }}>
          I have an account
        </RouterLink>
      }
    >
      <Field
        name="email"
        label="E-mail"
        type="email"
        autoComplete="email"
        autoFocus
        required
        value={email}
        onChange={(event) => setEmail(event.target.value)}
        refused={register.error}
      />
      <Field
        name="handle"
        label="Handle"
        autoComplete="nickname"
        required
        value={handle}
        onChange={(event) => setHandle(event.target.value.toLowerCase())}
        refused={register.error}
        helperText="Your public name: 3 to 40 letters, digits and hyphens. It cannot be changed."
        slotProps={{
          htmlInput: { pattern: "[a-z][a-z0-9\\-]{1,38}[a-z0-9]", autoCapitalize: "none" },
        }}
      />
      <Field
        name="password"
        label="Password"
        type="password"
        autoComplete="new-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
        refused={register.error}
        helperText="12 characters or more"
        slotProps={{ htmlInput: { minLength: 12, maxLength: 1024 } }}
      />
      {terms.error !== null && (
        <ErrorState error={terms.error} retry={() => void terms.refetch()} />
      )}
      {version !== null && (
        <FormControlLabel
          control={
            <Checkbox
              required
              checked={accepts}
              onChange={(event) => setAccepts(event.target.checked)}
            />
          }
          label={`I accept the terms of service, version ${version}`}
        />
      )}
      <Refusal error={register.error} fields={FIELDS} />
      <Button
        type="submit"
        variant="contained"
        size="large"
        loading={register.isPending}
        disabled={terms.data === undefined}
      >
        Create account
      </Button>
    </EntryCard>
  );
}
