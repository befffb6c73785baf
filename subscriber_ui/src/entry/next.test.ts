import { expect, test } from "vitest";

import { linkIn, tokenIn } from "./letters";
import { ownAddress } from "./next";

test.each(["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", 7])(
  "%s is no address to go on to",
  (next) => expect(ownAddress(next)).toBeUndefined(),
);

test("an address of ours is, with what stands behind it", () => {
  expect(ownAddress("/signals/ada/tide?tab=1#top")).toBe("/signals/ada/tide?tab=1#top");
});

test("a letter's link leads to this host, wherever the letter says it is", () => {
  const text = "Hello,\n\nhttps://old.example/account/link#confirm_email=mt_a-B_9\n\nBye";
  expect(linkIn(text)).toBe("/account/link#confirm_email=mt_a-B_9");
  expect(linkIn("https://evil.example/elsewhere#confirm_email=mt_1")).toBeNull();
});

test("a token is read from a link, from a fragment, or as it is", () => {
  const link = "http://127.0.0.1:8700/account/link#reset_password=mt_a-B_9 ";
  expect([link, "reset_password=mt_a-B_9", "mt_a-B_9"].map(tokenIn)).toEqual(
    Array(3).fill("mt_a-B_9"),
  );
  expect(tokenIn("rt_a")).toBeNull();
});
