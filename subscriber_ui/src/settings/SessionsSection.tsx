import Button from "@mui/material/Button";
import Chip from "@mui/material/Chip";
import Typography from "@mui/material/Typography";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { answer, api, type Schemas } from "../api/client";
import { Awaited } from "../elements/Awaited";
import { ConfirmDialog } from "../elements/ConfirmDialog";
import { type Column, DataTable } from "../elements/DataTable";
import { Absent } from "../elements/Figure";
import { notify } from "../elements/notices";
import { Section } from "../elements/Section";
import { Instant } from "../format/Instant";
import { forget } from "../session/session";

type Session = Schemas["Session"];

const KEY = ["sessions"];

export function SessionsSection() {
  const sessions = useQuery({
    queryKey: KEY,
    queryFn: async () => (await answer(api.GET("/v1/auth/sessions"))).items,
  });
  return (
    <Section
      title="Where you are signed in"
      lead="What you end is refused with its next request. API keys go on."
      actions={<LogOutEverywhere />}
      flush
    >
      <Awaited query={sessions}>
        {(rows) => (
          <DataTable caption="Sessions" columns={COLUMNS} rows={rows} rowKey={(row) => row.id} />
        )}
      </Awaited>
    </Section>
  );
}

const COLUMNS: Column<Session>[] = [
  {
    id: "user_agent",
    header: "Device",
    value: (row) => row.user_agent,
    cell: (row) => (
      <>
        {deviceOf(row.user_agent)}{" "}
        {row.is_current && <Chip label="this one" size="small" color="success" />}
      </>
    ),
  },
  {
    id: "network",
    header: "Network",
    value: (row) => row.network,
    cell: (row) =>
      row.network === "" ? <Absent reason="It was not told where from." /> : row.network,
  },
  {
    id: "last_used_at",
    header: "Last used",
    value: (row) => row.last_used_at,
    cell: (row) => <Instant at={row.last_used_at} />,
  },
  {
    id: "created_at",
    header: "Since",
    value: (row) => row.created_at,
    cell: (row) => <Instant at={row.created_at} />,
    from: "md",
  },
  {
    id: "has_totp",
    header: "Second factor",
    value: (row) => (row.has_totp ? "yes" : "no"),
    from: "sm",
  },
  { id: "end", header: "End", cell: (row) => (row.is_current ? null : <End session={row} />) },
];

// In this order: agents name those that they resemble as well.
const BROWSERS = {
  "Edg/": "Edge",
  "OPR/": "Opera",
  "Firefox/": "Firefox",
  "Chrome/": "Chrome",
  "Safari/": "Safari",
};
const SYSTEMS = {
  Windows: "Windows",
  Android: "Android",
  iPhone: "iPhone",
  iPad: "iPad",
  "Mac OS X": "macOS",
  Linux: "Linux",
};

/** Browser and system of a User-Agent; the whole of it where either is unknown. */
export function deviceOf(agent: string): string {
  const known = [BROWSERS, SYSTEMS].flatMap((names) => {
    const found = Object.entries(names).find(([word]) => agent.includes(word));
    return found === undefined ? [] : [found[1]];
  });
  if (known.length === 2) return known.join(" on ");
  return agent === "" ? "unnamed program" : agent.slice(0, 60);
}

function End({ session }: { session: Session }) {
  const client = useQueryClient();
  const end = useMutation({
    mutationFn: () =>
      answer(
        api.DELETE("/v1/auth/sessions/{session_id}", {
          params: { path: { session_id: session.id } },
        }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: KEY }),
    onError: (error) => notify(error.message, "error"),
  });
  return (
    <Button
      size="small"
      color="error"
      aria-label={`End the session of ${deviceOf(session.user_agent)}`}
      loading={end.isPending}
      onClick={() => end.mutate()}
    >
      End
    </Button>
  );
}

function LogOutEverywhere() {
  const [isOpen, setOpen] = useState(false);
  const navigate = useNavigate();
  const leave = useMutation({
    mutationFn: () => answer(api.POST("/v1/auth/logout-everywhere")),
    onSuccess: async () => {
      await navigate({ to: "/login" });
      forget();
    },
  });
  return (
    <>
      <Button color="error" variant="outlined" onClick={() => setOpen(true)}>
        Log out everywhere
      </Button>
      <ConfirmDialog
        open={isOpen}
        title="Log out everywhere?"
        confirm="Log out everywhere"
        color="error"
        busy={leave.isPending}
        error={leave.error}
        onConfirm={() => leave.mutate()}
        onClose={() => setOpen(false)}
      >
        <Typography>
          Every login ends, this one too. API keys go on until you revoke them.
        </Typography>
      </ConfirmDialog>
    </>
  );
}
