import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Tooltip from "@mui/material/Tooltip";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";

import { answer, api, type Schemas } from "../api/client";
import { Awaited } from "../elements/Awaited";
import { type Column, DataTable } from "../elements/DataTable";
import { EmptyState } from "../elements/EmptyState";
import { Absent } from "../elements/Figure";
import { notify } from "../elements/notices";
import { StateBadge } from "../elements/StateBadge";
import { Instant } from "../format/Instant";
import { count } from "../format/numbers";
import { byId, type Webhook } from "./webhooks";

type Delivery = Schemas["Delivery"];

const WHILE_UNTRIED_MS = 3_000;

/** It is about to be sent; what failed waits for longer. */
function isUntried({ state, attempts }: Delivery): boolean {
  return state === "pending" && attempts === 0;
}

/** What was sent to a webhook in the last thirty days. */
export function Deliveries({ webhook }: { webhook: Webhook }) {
  const deliveries = useInfiniteQuery({
    queryKey: ["deliveries", webhook.id],
    queryFn: ({ pageParam }) =>
      answer(
        api.GET("/v1/webhooks/{webhook_id}/deliveries", {
          params: { ...byId(webhook), query: { limit: 20, cursor: pageParam } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: ({ state }) =>
      state.data?.pages[0]?.items.some(isUntried) === true ? WHILE_UNTRIED_MS : false,
  });
  return (
    <Awaited query={deliveries}>
      {({ pages }) => (
        <>
          <DataTable
            caption={`Deliveries to ${webhook.url}`}
            columns={columnsOf(webhook)}
            rows={pages.flatMap((page) => page.items)}
            rowKey={(row) => row.id}
            empty={
              <EmptyState title="Nothing was sent yet">Ping it to see whether it works.</EmptyState>
            }
          />
          {deliveries.hasNextPage && (
            <Button
              fullWidth
              loading={deliveries.isFetchingNextPage}
              onClick={() => void deliveries.fetchNextPage()}
            >
              Show more
            </Button>
          )}
        </>
      )}
    </Awaited>
  );
}

function columnsOf(webhook: Webhook): Column<Delivery>[] {
  return [
    { id: "type", header: "Event", value: (row) => row.type },
    {
      id: "state",
      header: "State",
      value: (row) => row.state,
      cell: (row) => <StateBadge state={row.state} />,
    },
    {
      id: "created_at",
      header: "Happened",
      value: (row) => row.created_at,
      cell: (row) => <Instant at={row.created_at} precise />,
    },
    { id: "attempts", header: "Attempts", numeric: true, value: (row) => row.attempts },
    {
      id: "last_status",
      header: "Answer",
      numeric: true,
      value: (row) => row.last_status ?? null,
      cell: (row) =>
        row.last_status ?? <Absent reason={row.last_error ?? "Nothing answered yet."} />,
    },
    {
      id: "last_latency_ms",
      header: "Latency",
      numeric: true,
      value: (row) => row.last_latency_ms ?? null,
      cell: (row) =>
        typeof row.last_latency_ms === "number" ? (
          <span style={{ whiteSpace: "nowrap" }}>{count(row.last_latency_ms)} ms</span>
        ) : (
          <Absent reason="Nothing answered yet." />
        ),
    },
    {
      id: "error",
      header: "Error",
      value: (row) => row.last_error ?? null,
      cell: (row) =>
        typeof row.last_error === "string" ? (
          <Shortened text={row.last_error} />
        ) : (
          <Absent reason="It did not fail." />
        ),
    },
    { id: "again", header: "Again", cell: (row) => <Redeliver webhook={webhook} delivery={row} /> },
  ];
}

/** Two lines of it; the whole on hover and focus. */
function Shortened({ text }: { text: string }) {
  return (
    <Tooltip title={text}>
      <Box
        tabIndex={0}
        sx={{
          maxWidth: 260,
          overflow: "hidden",
          overflowWrap: "anywhere",
          display: "-webkit-box",
          WebkitLineClamp: 2,
          WebkitBoxOrient: "vertical",
        }}
      >
        {text}
      </Box>
    </Tooltip>
  );
}

function Redeliver({ webhook, delivery }: { webhook: Webhook; delivery: Delivery }) {
  const client = useQueryClient();
  const again = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver", {
          params: { path: { webhook_id: webhook.id, delivery_id: delivery.id } },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ["deliveries", webhook.id] }),
    onError: (error) => notify(error.message, "error"),
  });
  if (isUntried(delivery)) return null;
  return (
    <Button
      size="small"
      aria-label={`Send again: ${delivery.type}`}
      loading={again.isPending}
      onClick={() => again.mutate()}
    >
      Send again
    </Button>
  );
}
