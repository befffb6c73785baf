import FileDownload from "@mui/icons-material/FileDownloadOutlined";
import Button from "@mui/material/Button";

import { download } from "./csv";

interface Props {
  /** The file's name. */
  file: string;
  label?: string;
  content: () => string;
}

/** What is shown, as a CSV file. */
export function DownloadButton({ file, label = "CSV", content }: Props) {
  return (
    <Button size="small" startIcon={<FileDownload />} onClick={() => download(file, content())}>
      {label}
    </Button>
  );
}
