import { expect, test } from "vitest";
import { seededRandom } from "../base/index.ts";
import { compareHObject, HOBJECT_MAX, HOBJECT_MIN, type HObject, NOSNAP } from "../types/index.ts";
import { objectKey, objectOfKey } from "./object-key.ts";

test("keys decode to their objects and sort as the objects do", () => {
  const random = seededRandom(3);
  const pick = <T>(...xs: T[]): T => xs[random.below(xs.length)]!;
  const name = () => pick("", "a", "a\x00", "a\x00\x01", "a\x01", "a\xff", "ab", "\x00", "\xff");
  const objects: HObject[] = [HOBJECT_MIN, HOBJECT_MAX];
  for (let i = 0; i < 300; i++) {
    const oid = name();
    const key = name();
    objects.push({
      key: key === oid ? "" : key,
      oid,
      snap: pick(0n, 1n, 0x1_0000_0000n, NOSNAP, NOSNAP + 1n),
      hash: pick(0, 1, 0x80000000, 0xffffffff, random.u32()),
      max: 0,
      nspace: name(),
      pool: pick(-1n, 0n, 1n, 300n, -0x7fff_ffff_ffff_fffen),
    });
  }
  for (const a of objects) {
    expect(objectOfKey(objectKey(a))).toEqual(a);
    const ka = objectKey(a);
    const wrong = objects.filter((b) => {
      const kb = objectKey(b);
      return (ka < kb ? -1 : ka > kb ? 1 : 0) !== Math.sign(compareHObject(a, b));
    });
    expect(wrong).toEqual([]);
  }
});
