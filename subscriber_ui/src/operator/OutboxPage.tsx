import Box from "@mui/material/Box";
import Paper from "@mui/material/Paper";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";

import { answer, api, type Schemas } from "../api/client";
import { ProblemError } from "../api/problem";
import { Awaited } from "../elements/Awaited";
import { EmptyState } from "../elements/EmptyState";
import { Figure } from "../elements/Figure";
import { PageHead } from "../elements/PageHead";
import { Section } from "../elements/Section";
import { relative } from "../format/durations";
import { Instant } from "../format/Instant";
import { count } from "../format/numbers";
import { useNow } from "../format/useNow";
import { type Health, type Queue, useHealth } from "./health";

type Mail = Schemas["Mail"];

const WAITING = [
  { name: "letters", label: "Letters that wait" },
  { name: "deliveries", label: "Webhook deliveries that wait" },
] as const;

/** What is to be told to people and machines; letters to oneself, where the installation shows them. */
export function OutboxPage() {
  const health = useHealth();
  const mail = useMail();
  return (
    <>
      <PageHead
        title="Outbox"
        lead="What people and machines are told, and what is still to be delivered."
      />
      <Section title="Waiting">
        <Awaited query={health}>{(found) => <Waiting health={found} />}</Awaited>
      </Section>
      <Section
        title="Letters to you"
        lead="A letter is shown to whom it was written, in demonstrations only: its link may set a new password."
      >
        {isHidden(mail.error) ? (
          <EmptyState title="Letters are not shown here">{mail.error.message}</EmptyState>
        ) : (
          <Awaited query={mail}>{({ items }) => <Letters letters={items} />}</Awaited>
        )}
      </Section>
    </>
  );
}

function Waiting({ health }: { health: Health }) {
  return (
    <>
      <Stack direction="row" useFlexGap spacing={4} sx={{ flexWrap: "wrap", mb: 1 }}>
        {WAITING.map(({ name, label }) => {
          const queue = health.queues.find((each) => each.name === name);
          return queue === undefined ? null : <Waits key={name} queue={queue} label={label} />;
        })}
      </Stack>
      <Typography variant="body2" color="textSecondary">
        {health.letters.detail}
      </Typography>
    </>
  );
}

function Waits({ queue, label }: { queue: Queue; label: string }) {
  const now = useNow();
  return (
    <Figure
      label={label}
      value={count(queue.waiting)}
      note={queue.oldest_at === null ? "none" : `oldest ${relative(queue.oldest_at, now)}`}
    />
  );
}

function Letters({ letters }: { letters: Mail[] }) {
  if (letters.length === 0) {
    return (
      <EmptyState title="Nothing was written to you">
        Letters come with acts on your account.
      </EmptyState>
    );
  }
  return (
    <Stack spacing={1.5}>
      {letters.map((letter) => (
        <Letter key={letter.id} letter={letter} />
      ))}
    </Stack>
  );
}

function Letter({ letter }: { letter: Mail }) {
  return (
    <Paper component="article" aria-label={letter.subject} sx={{ p: 1.5 }}>
      <Typography variant="h3">{letter.subject}</Typography>
      <Typography variant="caption" color="textSecondary" component="div">
        To {letter.address}, put <Instant at={letter.created_at} />,{" "}
        {letter.sent_at === null ? (
          "not delivered"
        ) : (
          <>
            delivered <Instant at={letter.sent_at} />
          </>
        )}
      </Typography>
      {letter.text === "" ? (
        <Typography variant="body2">Its text was forgotten when it was delivered.</Typography>
      ) : (
        <Box
          component="pre"
          tabIndex={0}
          sx={{
            m: 0,
            mt: 1,
            fontSize: "0.78rem",
            whiteSpace: "pre-wrap",
            overflowWrap: "anywhere",
          }}
        >
          {letter.text}
        </Box>
      )}
    </Paper>
  );
}

function useMail() {
  return useQuery({
    queryKey: ["operator", "mail"],
    queryFn: () => answer(api.GET("/v1/mail")),
  });
}

function isHidden(error: Error | null): error is ProblemError {
  return error instanceof ProblemError && error.status === 404;
}
