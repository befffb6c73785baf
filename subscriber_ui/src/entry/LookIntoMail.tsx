import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";

import { answer, api } from "../api/client";
import { isDemo } from "../api/clock";
import { notify } from "../elements/notices";
import { Refusal } from "../elements/Refusal";
import { learnMe, type Me } from "../session/session";
import { EntryCard } from "./EntryCard";
import { linkIn } from "./letters";
import { useGoOn } from "./next";

/** After registering: the address is confirmed by the letter's link. */
export function LookIntoMail({ me, next }: { me: Me; next: string | undefined }) {
  const goOn = useGoOn(next);
  useAsksAgainOnReturn(!me.email_confirmed);
  const resend = useMutation({
    mutationFn: () => answer(api.POST("/v1/auth/confirm/resend")),
    onSuccess: () => notify(`Sent to ${me.email}`),
  });
  if (me.email_confirmed) {
    return (
      <EntryCard title="Your address is confirmed" lead={`You are signed in as ${me.handle}.`}>
        <Button variant="contained" size="large" onClick={goOn}>
          Go on
        </Button>
      </EntryCard>
    );
  }
  return (
    <EntryCard title="Look into your mail" lead={`You are signed in as ${me.handle}.`}>
      <Typography>
        We wrote to <strong>{me.email}</strong>. Open the link in the letter to confirm the address,
        then come back to this page.
      </Typography>
      {isDemo() && <DemoLetter />}
      {me.standing === "email_unconfirmed" && (
        <Alert severity="info">
          Until then you can look at everything, but not subscribe, publish or make API keys.
        </Alert>
      )}
      <Refusal error={resend.error} />
      <Button variant="contained" size="large" onClick={goOn}>
        Go on
      </Button>
      <Button onClick={() => resend.mutate()} loading={resend.isPending}>
        Send the letter again
      </Button>
    </EntryCard>
  );
}

function DemoLetter() {
  const mail = useQuery({
    queryKey: ["mail"],
    queryFn: () => answer(api.GET("/v1/mail")),
    staleTime: 0,
  });
  const letter = mail.data?.items.find((each) => each.kind === "confirm_email");
  const link = letter === undefined ? null : linkIn(letter.text);
  if (link === null) return null;
  return (
    <Alert severity="info">
      This is a demonstration and sends no mail. <a href={link}>The letter&apos;s link</a>
    </Alert>
  );
}

/** The link is opened in another tab: who comes back sees what became of it. */
function useAsksAgainOnReturn(isNeeded: boolean): void {
  useEffect(() => {
    if (!isNeeded) return;
    const ask = () => void learnMe().catch(() => undefined);
    globalThis.addEventListener("focus", ask);
    return () => globalThis.removeEventListener("focus", ask);
  }, [isNeeded]);
}
