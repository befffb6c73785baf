import { useEffect, useState } from "react";

import { now as platformNow } from "../api/clock";

/** The platform's now in milliseconds since the epoch, told anew every `everyMs`; ages and countdowns stand on it. */
export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(() => platformNow());
  useEffect(() => {
    const timer = setInterval(() => setNow(platformNow()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
