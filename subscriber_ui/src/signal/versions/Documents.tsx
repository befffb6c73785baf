import FileDownload from "@mui/icons-material/FileDownloadOutlined";
import Button from "@mui/material/Button";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { useMutation } from "@tanstack/react-query";

import { answer, api } from "../../api/client";
import { download } from "../../elements/csv";
import { ErrorState } from "../../elements/ErrorState";
import type { Name } from "../queries";

interface Props {
  path: Name;
  version: string;
  isSigned: boolean;
}

/** Its provenance statement and its bill of materials, as files. */
export function Documents({ path, version, isSigned }: Props) {
  const params = { path: { ...path, version } };
  const file = `${path.provider}-${path.name}-${version}`;
  const fetched = useMutation({
    mutationFn: async (kind: "provenance" | "sbom") => {
      const told: unknown =
        kind === "provenance"
          ? await answer(
              api.GET("/v1/signals/{provider}/{name}/versions/{version}/provenance", { params }),
            )
          : await answer(
              api.GET("/v1/signals/{provider}/{name}/versions/{version}/sbom", { params }),
            );
      download(`${file}.${kind}.json`, JSON.stringify(told, null, 2), "application/json");
    },
  });
  if (!isSigned) {
    return (
      <Typography variant="body2" color="textSecondary">
        It has no signed provenance statement.
      </Typography>
    );
  }
  return (
    <>
      <Typography variant="body2" sx={{ mb: 1 }}>
        A signed statement says from which commit and packages the image was built.
      </Typography>
      <Stack direction="row" spacing={1}>
        <Button
          size="small"
          variant="outlined"
          startIcon={<FileDownload />}
          onClick={() => fetched.mutate("provenance")}
        >
          Provenance
        </Button>
        <Button
          size="small"
          variant="outlined"
          startIcon={<FileDownload />}
          onClick={() => fetched.mutate("sbom")}
        >
          SBOM
        </Button>
      </Stack>
      {fetched.error !== null && <ErrorState error={fetched.error} />}
    </>
  );
}
