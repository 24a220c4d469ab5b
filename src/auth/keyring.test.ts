/** Keyrings: ceph-authtool's layout, and hostile or sloppy files. */
import { describe, expect, it } from "vitest";
import { seededRandom } from "../base/index.ts";
import { formatKey, generateKey, parseKey } from "./crypto-key.ts";
import { formatKeyring, parseKeyring } from "./keyring.ts";

/** Written by ceph-authtool 16.2.15. */
const AUTHTOOL = `[osd.3]
\tkey = AQAexwNrV9NxFRAAFrF6FPwN35QmHsKIA3O9Fg==
[client.a]
\tkey = AQC6wgNrPFP1JBAA/ABmhbTzJZLdbD4gorhDCQ==
[client.x]
\tkey = AQAexwNrH6YZExAA6WoYORKo2H3+9EehaPgDKA==
\tcaps mon = "allow r"
\tcaps osd = "allow \\"x\\" y"
`;
const KEY = "AQC6wgNrPFP1JBAA/ABmhbTzJZLdbD4gorhDCQ==";

function entries(text: string) {
  const parsed = parseKeyring(text);
  if (!Array.isArray(parsed)) throw new Error(`line ${parsed.line}: ${parsed.reason}`);
  return parsed;
}

describe("keyring", () => {
  it("reads what ceph-authtool writes and writes the same bytes", () => {
    const parsed = entries(AUTHTOOL);
    expect(parsed[2]?.auth.caps).toEqual({ mon: "allow r", osd: 'allow "x" y' });
    expect(formatKeyring([...parsed].reverse())).toBe(AUTHTOOL);
  });

  it("takes comments, other quotes, underscores and continued lines", () => {
    const [entry] = entries(
      `# mine\n[global]\nfoo = bar\n[ client.a ] ; me\n  key=${KEY} # old\ncaps_osd = 'allow \\\nr'\n`,
    );
    expect(entry?.auth.caps).toEqual({ osd: "allow r" });
    expect(formatKey(entries(`[client.a]\nkey = "${KEY}"`)[0]!.auth.key)).toBe(KEY);
  });

  it.each([
    ["setting before any section", `key = ${KEY}`, 1],
    ["an entity that is none", `[admin]\nkey = ${KEY}`, 1],
    ["no key", "[client.a]\ncaps mon = x", 1],
    ["a key that is none", "[client.a]\nkey = AQC6wgNr", 1],
    ["an open quote", `[client.a]\nkey = ${KEY}\ncaps mon = "allow`, 3],
    ["an unknown setting", `[client.a]\nkeys = ${KEY}`, 2],
    ["an open section heading", "[client.a\n", 1],
  ])("refuses %s, naming the line", (_what, text, line) => {
    expect(parseKeyring(text)).toMatchObject({ line });
  });
});

describe("keys", () => {
  it("come back from their text", () => {
    const key = generateKey(seededRandom(1), 1_700_000_000_123);
    expect(parseKey(formatKey(key))).toEqual(key);
    expect(formatKey(parseKey(KEY)!)).toBe(KEY);
  });

  it("are refused in any other form", () => {
    for (const text of [
      "",
      "AQ==",
      KEY.slice(1),
      `${KEY}!`,
      "AgC6wgNrPFP1JBAA/ABmhbTzJZLdbD4gorhDCQ==",
    ]) {
      expect(parseKey(text), text).toBeUndefined();
    }
  });
});
