import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Link from "@mui/material/Link";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { answer, api, type Schemas } from "../api/client";
import { CopyField } from "../elements/CopyField";
import { download } from "../elements/csv";
import { Field } from "../elements/Field";
import { Form } from "./Form";
import { QrCode } from "./QrCode";

/** Password, then the secret, then a code that proves it, then the recovery codes. */
export function Enrolment({ done }: { done: () => void }) {
  const [secret, setSecret] = useState<Schemas["TotpSecret"] | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  if (codes !== null) return <RecoveryCodes codes={codes} done={done} />;
  if (secret !== null) return <Proof secret={secret} proven={setCodes} />;
  return <PasswordFirst given={setSecret} />;
}

function PasswordFirst({ given }: { given: (secret: Schemas["TotpSecret"]) => void }) {
  const [password, setPassword] = useState("");
  const enrol = useMutation({
    mutationFn: () => answer(api.POST("/v1/auth/totp", { body: { password } })),
    onSuccess: given,
  });
  return (
    <Form
      submit="Show the secret"
      busy={enrol.isPending}
      error={enrol.error}
      fields={["password"]}
      onSubmit={() => enrol.mutate()}
    >
      <Field
        name="password"
        label="Password"
        type="password"
        autoComplete="current-password"
        autoFocus
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
        refused={enrol.error}
      />
    </Form>
  );
}

interface ProofProps {
  secret: Schemas["TotpSecret"];
  proven: (codes: string[]) => void;
}

function Proof({ secret, proven }: ProofProps) {
  const [code, setCode] = useState("");
  const confirm = useMutation({
    mutationFn: () => answer(api.POST("/v1/auth/totp/confirm", { body: { code } })),
    onSuccess: (made) => proven(made.recovery_codes),
  });
  return (
    <Stack direction={{ xs: "column", sm: "row" }} spacing={3}>
      <QrCode text={secret.otpauth_uri} label="The secret, for your authenticator's camera" />
      <Stack spacing={2} sx={{ flex: 1, minWidth: 0 }}>
        <Typography>
          Point your authenticator at the code, or enter the secret by hand. On this device you may{" "}
          <Link href={secret.otpauth_uri}>open it in the authenticator</Link>.
        </Typography>
        <CopyField name="secret" text={secret.secret} />
        <Form
          submit="Confirm"
          busy={confirm.isPending}
          error={confirm.error}
          fields={["code"]}
          onSubmit={() => confirm.mutate()}
        >
          <Field
            name="code"
            label="Code"
            autoComplete="one-time-code"
            required
            value={code}
            onChange={(event) => setCode(event.target.value)}
            refused={confirm.error}
            helperText="The six digits that your authenticator shows now"
          />
        </Form>
      </Stack>
    </Stack>
  );
}

function RecoveryCodes({ codes, done }: { codes: string[]; done: () => void }) {
  const text = codes.join("\n");
  return (
    <Stack spacing={2} sx={{ maxWidth: 440 }}>
      <Alert severity="success">The second factor is on.</Alert>
      <Alert severity="warning">
        Keep these recovery codes where you find them without your phone. Each opens your account
        once. They are not shown again.
      </Alert>
      <CopyField name="recovery codes" text={text} />
      <Stack direction="row" spacing={1}>
        <Button variant="contained" onClick={done}>
          I have kept them
        </Button>
        <Button onClick={() => download("signalbox-recovery-codes.txt", `${text}\n`, "text/plain")}>
          Download
        </Button>
      </Stack>
    </Stack>
  );
}
