import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { answer, api } from "../../api/client";
import { ErrorState } from "../../elements/ErrorState";
import { notify } from "../../elements/notices";
import { Section } from "../../elements/Section";
import { ALL_OF_PROVIDER, type Signal } from "../queries";

/** Whether the catalogue lists the signal. */
export function Visibility({ signal }: { signal: Signal }) {
  const queries = useQueryClient();
  const isPublic = signal.visibility === "public";
  const changing = useMutation({
    mutationFn: () => {
      const request = { params: { path: { provider: signal.provider, name: signal.name } } };
      return answer(
        isPublic
          ? api.POST("/v1/signals/{provider}/{name}/unpublish", request)
          : api.POST("/v1/signals/{provider}/{name}/publish", request),
      );
    },
    onSuccess: (changed) => notify(`${changed.signal} is ${changed.visibility}`),
    onSettled: () => queries.invalidateQueries({ queryKey: ALL_OF_PROVIDER }),
  });
  return (
    <Section
      title={isPublic ? "Listed in the catalogue" : "Private"}
      actions={
        <Button
          variant={isPublic ? "outlined" : "contained"}
          loading={changing.isPending}
          onClick={() => changing.mutate()}
        >
          {isPublic ? "Unpublish" : "Publish"}
        </Button>
      }
    >
      <Typography variant="body2">
        {isPublic
          ? "Everybody finds it and may subscribe. Unpublished, it takes no new subscribers and reveals nothing; who subscribed reads on."
          : "Only you see it. Published, it is listed once a version was live, open to subscribers, and each slot becomes public after the offer's delay."}
      </Typography>
      {changing.error !== null && <ErrorState error={changing.error} />}
    </Section>
  );
}
