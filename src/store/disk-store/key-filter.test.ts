import { expect, test } from "vitest";
import { seededRandom } from "../../base/index.ts";
import { KeyFilter, KeyHash } from "./key-filter.ts";

/** Keys as the index has them: long common beginnings, a few bytes that differ. */
function keys(kind: string, count: number): string[] {
  const dice = seededRandom(count);
  return Array.from({ length: count }, (_, i) => {
    const id = String.fromCharCode((i >>> 16) & 0xff, (i >>> 8) & 0xff, i & 0xff);
    return `${kind}\x00\x00\x00\x00\x00${id}${dice.below(2) === 0 ? "" : "\x00\x00\x00\x01"}`;
  });
}

test("a filter knows every key it was given, and hardly any other", () => {
  for (const count of [1, 50, 20_000]) {
    const filter = KeyFilter.forKeys(count);
    const hash = new KeyHash();
    for (const key of keys("B", count)) filter.add(hash.of(key));
    const saved = new KeyFilter(Uint32Array.from(filter.words));
    for (const key of keys("B", count)) expect(saved.mayHave(hash.of(key))).toBe(true);
    const others = keys("M", 20_000);
    const mistaken = others.filter((key) => saved.mayHave(hash.of(key))).length;
    expect(mistaken / others.length).toBeLessThan(0.02);
  }
});

test("a filter for no keys has none", () => {
  expect(KeyFilter.forKeys(0).mayHave(new KeyHash().of("a"))).toBe(false);
});
