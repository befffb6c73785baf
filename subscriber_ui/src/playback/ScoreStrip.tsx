import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";

import { Figure } from "../elements/Figure";
import { count, percent } from "../format/numbers";
import type { Score } from "./score";
import { errorWords } from "./words";

interface Props {
  /** Whose score it is. */
  title: string;
  score: Score;
  isPrice: boolean;
}

const NONE_RESOLVED = "No forecast is resolved at this instant";

/** The running score at the instant shown, of what is in the range. */
export function ScoreStrip({ title, score, isPrice }: Props) {
  const { made, resolved, hits, directions, meanError, meanNaiveError } = score;
  return (
    <div>
      <Typography variant="h3" sx={{ mb: 1 }}>
        {title}
      </Typography>
      <Stack direction="row" useFlexGap spacing={3} sx={{ flexWrap: "wrap" }}>
        <Figure label="Resolved" value={count(resolved)} note={`${count(made - resolved)} open`} />
        <Figure
          label="Hit rate"
          value={directions === 0 ? null : percent(hits / directions)}
          reason={NONE_RESOLVED}
          note={directions === 0 ? undefined : `${count(hits)} of ${count(directions)} directions`}
        />
        <Figure
          label="Mean absolute error"
          value={meanError === null ? null : errorWords(meanError, isPrice)}
          reason={NONE_RESOLVED}
        />
        <Figure
          label="Of a naive forecast"
          value={meanNaiveError === null ? null : errorWords(meanNaiveError, isPrice)}
          reason={NONE_RESOLVED}
          note="that nothing changes"
        />
        <Figure
          label="Error saved"
          value={
            meanError === null || meanNaiveError === null || meanNaiveError === 0
              ? null
              : percent(1 - meanError / meanNaiveError)
          }
          reason={NONE_RESOLVED}
          note="against the naive one"
        />
      </Stack>
    </div>
  );
}
