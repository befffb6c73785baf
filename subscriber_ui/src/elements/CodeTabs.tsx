import Tab from "@mui/material/Tab";
import Tabs from "@mui/material/Tabs";
import { useState } from "react";

import { CopyField } from "./CopyField";

interface Props {
  /** What the code does, for its copy button. */
  name: string;
  /** Of the API: /v1/forecasts/latest. */
  path: string;
  /** The same with `signalbox.Client`. */
  python: string;
}

const LANGUAGES = ["curl", "Python"] as const;

/** The same answer by curl and by Python, to be copied. */
export function CodeTabs({ name, path, python }: Props) {
  const [language, setLanguage] = useState<(typeof LANGUAGES)[number]>("curl");
  const curl = `curl -H "Authorization: Bearer $SIGNALBOX_API_KEY" \\\n  "${location.origin}${path}"`;
  return (
    <>
      <Tabs
        value={language}
        onChange={(_, chosen: (typeof LANGUAGES)[number]) => setLanguage(chosen)}
        aria-label={name}
        sx={{ minHeight: 36, mb: 1 }}
      >
        {LANGUAGES.map((each) => (
          <Tab key={each} value={each} label={each} sx={{ minHeight: 36, py: 0 }} />
        ))}
      </Tabs>
      <CopyField name={`${name}, ${language}`} text={language === "curl" ? curl : python} />
    </>
  );
}
