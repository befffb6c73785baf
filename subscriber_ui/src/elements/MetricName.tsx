import Box from "@mui/material/Box";
import Tooltip from "@mui/material/Tooltip";
import { useQuery } from "@tanstack/react-query";

import { answer, api } from "../api/client";

const NEVER_STALE = Infinity;

/** Every metric's formula, unit and source, by its name. */
export function useDefinitions() {
  return useQuery({
    queryKey: ["metrics"],
    queryFn: () => answer(api.GET("/v1/metrics")),
    staleTime: NEVER_STALE,
  });
}

/** Of a measure; those of levels (coverage_0.1) have one definition. */
export function definitionIn<Defined extends { name: string }>(
  definitions: Defined[],
  metric: string,
): Defined | undefined {
  const name = metric.replace(/^coverage_.*$/, "coverage_<level>");
  return definitions.find((each) => each.name === name);
}

interface Props {
  /** As the API names it: hit_rate. */
  metric: string;
  /** As it is shown; its name with spaces otherwise. */
  label?: string;
}

/** A metric's name; its definition on hover and focus. */
export function MetricName({ metric, label }: Props) {
  const definitions = useDefinitions();
  const found = definitionIn(definitions.data?.items ?? [], metric);
  const text = label ?? metric.replaceAll("_", " ");
  if (found === undefined) return <span>{text}</span>;
  return (
    <Tooltip
      describeChild
      title={`${found.formula} (${found.unit}). Over: ${found.over}. Source: ${found.source}`}
    >
      <Box
        component="span"
        tabIndex={0}
        sx={{ textDecoration: "underline dotted", textUnderlineOffset: 3, cursor: "help" }}
      >
        {text}
      </Box>
    </Tooltip>
  );
}
