// A program of a subscriber in TypeScript: it compiles only while the document says what it relies on.
import createClient from "openapi-fetch";
import type { components, paths } from "./openapi";

type Forecast = Pick<components["schemas"]["Forecast"], "signal" | "as_of" | "symbol" | "point">;

type Read = "application/json" | "application/problem+json";

const api = createClient<paths, Read>({ baseUrl: "http://127.0.0.1:8700" });

export async function latest(key: string): Promise<Forecast[]> {
  const { data, error } = await api.GET("/v1/forecasts/latest", {
    headers: { Authorization: `Bearer ${key}` },
  });
  if (error !== undefined) {
    const code: string = error.code;
    throw new Error(`${code}: ${error.detail}`);
  }
  return data.items;
}

export async function best(symbol: string): Promise<string | undefined> {
  const { data } = await api.GET("/v1/signals", {
    params: { query: { symbol, sort: "skill-desc", min_live_days: 90, limit: 1 } },
  });
  const skill: number | null | undefined = data?.items[0]?.headline.skill;
  return skill === null || skill === undefined ? undefined : data?.items[0]?.signal;
}

export async function subscribe(signal: string, key: string): Promise<string | null | undefined> {
  const { data } = await api.POST("/v1/subscriptions", {
    body: { signal },
    params: { header: { "Idempotency-Key": key } },
  });
  return data?.checkout_url;
}

export async function wrong(): Promise<void> {
  // @ts-expect-error there is no such route
  await api.GET("/v1/signals/everything");
  // @ts-expect-error a sort that there is not
  await api.GET("/v1/signals", { params: { query: { sort: "luck" } } });
  // @ts-expect-error a body without its field
  await api.POST("/v1/subscriptions", { body: {} });
  // @ts-expect-error a field that the body has not
  const body: components["schemas"]["NewSubscription"] = { signal: "ada/tide", role: "operator" };
  await api.POST("/v1/subscriptions", { body });
}
