import { useNavigate } from "@tanstack/react-router";

/** An address of ours, or nothing: `//evil.example` and `/\evil.example` lead elsewhere. */
export function ownAddress(next: unknown): string | undefined {
  return typeof next === "string" && /^\/(?![/\\])/.test(next) ? next : undefined;
}

/** Goes on to where somebody came from; the catalogue otherwise. */
export function useGoOn(next: string | undefined): () => void {
  const navigate = useNavigate();
  return () => void navigate({ href: next ?? "/", replace: true });
}
