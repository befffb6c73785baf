import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { answer, api } from "../api/client";
import { ConfirmDialog } from "../elements/ConfirmDialog";
import { Field } from "../elements/Field";
import { notify } from "../elements/notices";
import { Section } from "../elements/Section";
import { learnMe, type Me } from "../session/session";
import { Enrolment } from "./Enrolment";

export function SecondFactorSection({ me }: { me: Me }) {
  const [isEnrolling, setEnrolling] = useState(false);
  return (
    <Section
      title="Second factor"
      lead="A code of your authenticator besides the password: a stolen password opens nothing."
    >
      {me.has_totp && !isEnrolling ? (
        <>
          <Alert severity="success" sx={{ mb: 2 }}>
            It is on: logins ask for a code.
          </Alert>
          <TurnOff />
        </>
      ) : (
        <>
          {!isEnrolling && (
            <Button variant="contained" onClick={() => setEnrolling(true)}>
              Turn on
            </Button>
          )}
          {isEnrolling && (
            <Enrolment
              done={() => {
                setEnrolling(false);
                void learnMe();
              }}
            />
          )}
        </>
      )}
    </Section>
  );
}

function TurnOff() {
  const [isOpen, setOpen] = useState(false);
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const disable = useMutation({
    mutationFn: () => answer(api.POST("/v1/auth/totp/disable", { body: { password, code } })),
    onSuccess: async () => {
      setOpen(false);
      notify("Logins ask for the password alone");
      await learnMe();
    },
  });
  return (
    <>
      <Button color="error" variant="outlined" onClick={() => setOpen(true)}>
        Turn off
      </Button>
      <ConfirmDialog
        open={isOpen}
        title="Turn the second factor off?"
        confirm="Turn off"
        color="error"
        busy={disable.isPending}
        error={disable.error}
        fields={["password", "code"]}
        onConfirm={() => disable.mutate()}
        onClose={() => setOpen(false)}
      >
        <Typography>From then on the password alone opens your account.</Typography>
        <Field
          name="password"
          label="Password"
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          refused={disable.error}
        />
        <Field
          name="code"
          label="Code"
          autoComplete="one-time-code"
          required
          value={code}
          onChange={(event) => setCode(event.target.value)}
          refused={disable.error}
          helperText="Of your authenticator, or a recovery code"
        />
      </ConfirmDialog>
    </>
  );
}
