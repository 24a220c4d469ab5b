import { describe, expect, test } from "vitest";
import { MemStore } from "../../store/index.ts";
import { askManager } from "../testing/ask.ts";

/** The bench's clock stands at 2023-11-14T22:13:20Z. */
const ID = "2023-11-11T01:00:00.000000Z_11111111-2222-3333-4444-555555555555";
const CRASH = {
  crash_id: ID,
  timestamp: "2023-11-11T01:00:00.000000Z",
  entity_name: "osd.0",
  backtrace: ["(main()+0x12) [0x5566]", "a"],
};

describe("crashes", () => {
  test("are posted, shown, looked at and forgotten, and outlast a restart", async () => {
    const store = new MemStore();
    const { ask } = await askManager({ store });
    expect((await ask("crash stat")).data).toBe("0 crashes recorded\n");
    expect(await ask("crash post", {}, JSON.stringify(CRASH))).toMatchObject({ r: 0, status: "" });
    const again = await askManager({ store });
    expect((await again.ask("crash ls")).data.split("\n")).toEqual([
      `ID${" ".repeat(64)}ENTITY  NEW  `,
      `${ID}  osd.0    *   `,
      "",
    ]);
    expect((await again.ask("crash stat")).data).toBe(
      `1 crashes recorded\n1 older than 1 days old:\n${ID}\n1 older than 3 days old:\n${ID}\n`,
    );
    expect(JSON.parse((await again.ask("crash info", { id: ID })).data)).toEqual({
      ...CRASH,
      // sha256("main()")
      stack_sig: "ea1a0f9102305e02f12ac58acc01ab6365ca5bb5e56e25b917139808b9c932c1",
    });
    expect(await again.ask("crash archive", { id: ID })).toMatchObject({ r: 0 });
    expect((await again.ask("crash ls-new")).data).toBe("");
    expect((await again.ask("crash ls")).data).not.toContain("*");
    expect(JSON.parse((await again.ask("crash info", { id: ID })).data)).toMatchObject({
      archived: "2023-11-14 22:13:20.000000",
    });
    await again.ask("crash rm", { id: ID });
    expect((await again.ask("crash ls", { format: "json" })).data).toBe("[]\n");
  });

  test("are all looked at together", async () => {
    const { ask } = await askManager();
    await ask("crash post", {}, JSON.stringify(CRASH));
    await ask("crash archive-all");
    expect((await ask("crash ls-new")).data).toBe("");
  });

  test("that are none are told so, and end well, as upstream's do", async () => {
    const { ask } = await askManager();
    for (const command of ["crash info", "crash archive"]) {
      expect(await ask(command, { id: "nosuch" })).toEqual({
        r: 22,
        status: "crash info: nosuch not found",
        data: "",
      });
    }
    expect((await ask("crash post", {}, "x")).status).toBe(
      "malformed crash metadata: Expecting value: line 1 column 1 (char 0)",
    );
    expect((await ask("crash post", {}, "{}")).status).toBe(
      "malformed crash metadata: missing 'crash_id' field",
    );
    expect((await ask("crash ls")).data).toBe("");
  });
});
