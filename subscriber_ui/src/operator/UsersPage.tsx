import Box from "@mui/material/Box";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";

import { answer, api, type Schemas } from "../api/client";
import { type Column, DataTable, rowsAsCsv } from "../elements/DataTable";
import { DownloadButton } from "../elements/DownloadButton";
import { EmptyState } from "../elements/EmptyState";
import { PageHead } from "../elements/PageHead";
import { RouterLink } from "../elements/RouterLink";
import { Section } from "../elements/Section";
import { Instant } from "../format/Instant";
import { count } from "../format/numbers";
import { FilterField } from "./FilterField";
import { Paged } from "./Paged";

type Account = Schemas["Account"];

const COLUMNS: Column<Account>[] = [
  {
    id: "handle",
    header: "Handle",
    value: (account) => account.handle,
    cell: (account) => <strong>{account.handle}</strong>,
  },
  { id: "email", header: "E-mail", value: (account) => account.email },
  { id: "role", header: "Role", value: (account) => account.role },
  {
    id: "created_at",
    header: "Since",
    value: (account) => account.created_at,
    cell: (account) => <Instant at={account.created_at} />,
  },
  whole("signals", "Signals"),
  whole("subscriptions", "Subscriptions"),
  whole("api_keys", "API keys"),
  {
    id: "acts",
    header: "Acts",
    cell: (account) => (
      <RouterLink to="/operator/audit" search={{ actor: account.handle }}>
        Audit log
      </RouterLink>
    ),
  },
];

/** Who has an account, newest first. */
export function UsersPage() {
  const { q } = useSearch({ from: "/operator/users" });
  const navigate = useNavigate({ from: "/operator/users" });
  const users = useUsers(q);
  const shown = users.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <PageHead title="Users" lead="Who has an account here, newest first." />
      <Box sx={{ mb: 2 }}>
        <FilterField
          label="Handle or e-mail"
          type="search"
          placeholder="Part of either"
          value={q}
          onChange={(typed) => void navigate({ search: { q: typed }, replace: true })}
          width={300}
        />
      </Box>
      <Section
        title="Accounts"
        flush
        actions={
          shown.length > 0 && (
            <DownloadButton file="users.csv" content={() => rowsAsCsv(COLUMNS, shown)} />
          )
        }
      >
        <Paged query={users}>
          {(items) => (
            <DataTable
              caption="Users"
              columns={COLUMNS}
              rows={items}
              rowKey={(account) => account.id}
              empty={
                <EmptyState title="Nobody is found">
                  Search for part of a handle or of an e-mail address.
                </EmptyState>
              }
            />
          )}
        </Paged>
      </Section>
    </>
  );
}

function useUsers(q: string | undefined) {
  return useInfiniteQuery({
    queryKey: ["operator", "users", q],
    queryFn: ({ pageParam }) =>
      answer(api.GET("/v1/admin/users", { params: { query: { q, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
}

function whole(id: "signals" | "subscriptions" | "api_keys", header: string): Column<Account> {
  return {
    id,
    header,
    numeric: true,
    value: (account) => account[id],
    cell: (account) => count(account[id]),
  };
}
