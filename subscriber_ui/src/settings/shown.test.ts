import { expect, test } from "vitest";

import type { Schemas } from "../api/client";
import { refusedBecause } from "./ApiKeys";
import { deviceOf } from "./SessionsSection";
import { healthOf } from "./webhooks";

test("a key says why it is refused, and a revoked one that it was revoked", () => {
  const key = { expires_at: "2026-11-22T00:00:00Z", revoked_at: null } as Schemas["ApiKey"];
  const at = Date.parse("2026-11-22T00:00:00Z");
  expect(refusedBecause(key, at - 1)).toBeNull();
  expect(refusedBecause(key, at)).toBe("expired");
  expect(refusedBecause({ ...key, revoked_at: "2026-11-01T00:00:00Z" }, at)).toBe("revoked");
  expect(refusedBecause({ ...key, expires_at: null }, at)).toBeNull();
});

test.each([
  [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140 Safari/537.36",
    "Chrome on Linux",
  ],
  ["Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537.36 Edg/140.0", "Edge on Windows"],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 15) Version/19 Safari/605.1", "Safari on macOS"],
  ["Mozilla/5.0 (Linux; Android 16) Chrome/140 Mobile Safari/537.36", "Chrome on Android"],
  ["python-httpx/0.28", "python-httpx/0.28"],
  ["", "unnamed program"],
])("%s is shown as %s", (agent, shown) => expect(deviceOf(agent)).toBe(shown));

test("a webhook that is disabled says why before it says that it fails", () => {
  const webhook = {
    is_enabled: false,
    disabled_why: "five days without a success",
    failing_since: "2026-11-22T00:00:00Z",
  } as Schemas["Webhook"];
  expect(healthOf(webhook, "UTC").why).toBe("five days without a success");
  expect(healthOf({ ...webhook, is_enabled: true }, "UTC")).toEqual({
    state: "failing",
    why: "Deliveries fail since 2026-11-22 00:00 UTC.",
  });
});
