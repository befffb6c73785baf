import Skeleton from "@mui/material/Skeleton";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { ErrorState } from "./ErrorState";

interface Props<Data> {
  query: Pick<UseQueryResult<Data>, "data" | "error" | "refetch">;
  /** Of the final size, so that nothing moves when the answer comes. */
  skeleton?: ReactNode;
  children: (data: Data) => ReactNode;
}

/** A query's skeleton, error or data; data that is there stays while it is asked anew. */
export function Awaited<Data>({ query, skeleton, children }: Props<Data>) {
  if (query.data !== undefined) return children(query.data);
  if (query.error !== null) {
    return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  }
  return <div aria-busy="true">{skeleton ?? <Lines />}</div>;
}

export function Lines({ count = 4, height = 28 }: { count?: number; height?: number }) {
  return Array.from({ length: count }, (_, at) => <Skeleton key={at} height={height} />);
}
