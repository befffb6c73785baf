import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { answer, api } from "../api/client";
import { Field } from "../elements/Field";
import { notify } from "../elements/notices";
import { Refusal } from "../elements/Refusal";
import { Section } from "../elements/Section";
import { Instant } from "../format/Instant";
import { learnMe, type Me, useSession } from "../session/session";
import { Fact } from "./Fact";
import { Form } from "./Form";

export function ProfilePage() {
  const session = useSession();
  if (session.state !== "in") return null;
  return (
    <>
      <Standing me={session.me} />
      <Section title="You">
        <Box
          component="dl"
          sx={{
            display: "grid",
            gap: 1.5,
            gridTemplateColumns: { xs: "1fr", sm: "1fr 1fr" },
            m: 0,
          }}
        >
          <Fact label="Handle, which is public and stays">{session.me.handle}</Fact>
          <Fact label="E-mail">
            {session.me.email} ({session.me.email_confirmed ? "confirmed" : "not confirmed"})
          </Fact>
          <Fact label="Role">{session.me.role}</Fact>
          <Fact label="Member since">
            <Instant at={session.me.created_at} />
          </Fact>
        </Box>
      </Section>
      <EmailChange />
    </>
  );
}

/** What stands in the way of subscribing and publishing. */
function Standing({ me }: { me: Me }) {
  const resend = useMutation({
    mutationFn: () => answer(api.POST("/v1/auth/confirm/resend")),
    onSuccess: () => notify(`Sent to ${me.email}`),
  });
  return (
    <>
      {!me.email_confirmed && (
        <Alert
          severity={me.standing === "email_unconfirmed" ? "warning" : "info"}
          sx={{ mb: 2 }}
          action={
            <Button
              color="inherit"
              size="small"
              loading={resend.isPending}
              onClick={() => resend.mutate()}
            >
              Send again
            </Button>
          }
        >
          Your address is not confirmed: open the link in the letter we sent.
          {me.standing === "email_unconfirmed" &&
            " Until then you cannot subscribe, publish or make API keys."}
          <Refusal error={resend.error} />
        </Alert>
      )}
      {me.standing === "terms_not_accepted" && <NewTerms />}
    </>
  );
}

function NewTerms() {
  const terms = useQuery({
    queryKey: ["terms"],
    queryFn: () => answer(api.GET("/v1/account/terms")),
  });
  const version = terms.data?.version ?? null;
  const accept = useMutation({
    mutationFn: async (read: string) => {
      await answer(api.POST("/v1/account/terms", { body: { version: read } }));
      await learnMe();
    },
  });
  if (version === null) return null;
  return (
    <Alert
      severity="warning"
      sx={{ mb: 2 }}
      action={
        <Button
          color="inherit"
          size="small"
          loading={accept.isPending}
          onClick={() => accept.mutate(version)}
        >
          Accept
        </Button>
      }
    >
      There are new terms of service, version {version}. Until you accept them you cannot subscribe
      or publish.
      <Refusal error={accept.error} />
    </Alert>
  );
}

function EmailChange() {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const change = useMutation({
    mutationFn: () => answer(api.POST("/v1/auth/email", { body: { email, password } })),
    onSuccess: () => setPassword(""),
  });
  return (
    <Section
      title="Another address"
      lead="It changes when the letter to the new address is answered; the old one is told."
    >
      <Form
        submit="Change e-mail"
        busy={change.isPending}
        error={change.error}
        fields={["email", "password"]}
        onSubmit={() => change.mutate()}
      >
        <Field
          name="email"
          label="New e-mail"
          type="email"
          autoComplete="email"
          required
          value={email}
          onChange={(event) => setEmail(event.target.value)}
          refused={change.error}
        />
        <Field
          name="password"
          label="Password"
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          refused={change.error}
        />
        {change.isSuccess && (
          <Alert severity="success">A letter is on its way: open its link to confirm.</Alert>
        )}
      </Form>
    </Section>
  );
}
