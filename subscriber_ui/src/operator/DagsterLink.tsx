import OpenInNew from "@mui/icons-material/OpenInNew";
import Link from "@mui/material/Link";
import { type MouseEvent } from "react";

import { Absent } from "../elements/Figure";
import { isBehindOurDoor, openBehindDoor } from "./dagster";
import { useHealth } from "./health";

interface Props {
  /** From Dagster's address to that of the page. */
  to?: (dagster: string) => string;
  label?: string;
}

/** A way into Dagster, in a tab of its own; says why where there is none. */
export function DagsterLink({ to = (dagster) => dagster, label = "Open in Dagster" }: Props) {
  const dagster = useHealth().data?.dagster_url;
  if (dagster === undefined) return null;
  if (dagster === null) {
    return <Absent reason="Where Dagster is, SIGNALBOX_DAGSTER_URL tells; it is not set." />;
  }
  const address = to(dagster);
  const open = (event: MouseEvent) => {
    if (!isBehindOurDoor(dagster)) return;
    event.preventDefault();
    void openBehindDoor(address);
  };
  return (
    <Link
      href={address}
      onClick={open}
      target="_blank"
      rel="noreferrer"
      sx={{ display: "inline-flex", alignItems: "center", gap: 0.5, whiteSpace: "nowrap" }}
    >
      {label}
      <OpenInNew aria-hidden sx={{ fontSize: "0.95em" }} />
    </Link>
  );
}
