import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import type { ReactNode } from "react";

import { Awaited, Lines } from "../elements/Awaited";

interface Query<Item> {
  data: { pages: { items: Item[] }[] } | undefined;
  error: Error | null;
  refetch: () => unknown;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
}

interface Props<Item> {
  query: Query<Item>;
  children: (items: Item[]) => ReactNode;
}

/** A list that goes on for as long as somebody asks for more. */
export function Paged<Item>({ query, children }: Props<Item>) {
  const { data, error, refetch } = query;
  return (
    <Awaited
      query={{ data, error, refetch: refetch as never }}
      skeleton={
        <Box sx={{ px: 2, pb: 1 }}>
          <Lines count={8} height={36} />
        </Box>
      }
    >
      {({ pages }) => (
        <>
          {children(pages.flatMap((page) => page.items))}
          {query.hasNextPage && (
            <Box sx={{ p: 1.5, textAlign: "center" }}>
              <Button
                size="small"
                loading={query.isFetchingNextPage}
                onClick={() => query.fetchNextPage()}
              >
                Show more
              </Button>
            </Box>
          )}
        </>
      )}
    </Awaited>
  );
}
