import { useRouter } from "@tanstack/react-router";
import { useEffect, useEffectEvent, useState } from "react";

/**
 * Text of a field that stands in the address: what is typed is told when the typing pauses,
 * trimmed; undefined when nothing is left of it. Who follows a link within the pause is leaving,
 * and nothing is told any more: a new address here would undo the way to the other page.
 */
export function useTyped(
  value: string | undefined,
  onTold: (text: string | undefined) => void,
  pauseMs: number,
): [string, (text: string) => void] {
  const router = useRouter();
  const [typed, setTyped] = useState(value ?? "");
  const [known, setKnown] = useState(value);
  const [told, setTold] = useState(value);
  if (known !== value) {
    setKnown(value);
    // Not what was told from here: back, forward, or a link changed the address.
    if (value !== told) {
      setTold(value);
      setTyped(value ?? "");
    }
  }
  const tell = useEffectEvent((text: string) => {
    const wanted = text.trim() === "" ? undefined : text.trim();
    if (wanted === value) return;
    setTold(wanted);
    onTold(wanted);
  });
  useEffect(() => {
    const timer = setTimeout(() => tell(typed), pauseMs);
    const stopListening = router.subscribe("onBeforeNavigate", ({ pathChanged }) => {
      if (pathChanged) clearTimeout(timer);
    });
    return () => {
      clearTimeout(timer);
      stopListening();
    };
  }, [typed, pauseMs, router]);
  return [typed, setTyped];
}
