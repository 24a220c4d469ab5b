import { expect, test } from "vitest";
import { Settings } from "../../config/index.ts";
import { ENTITY_TYPE } from "../../types/index.ts";
import { ticketTtl } from "./ticket-ttl.ts";

test("tickets are good for as long as the options say when they are made, within bounds", () => {
  const settings = new Settings();
  const ttlMs = ticketTtl(settings);
  expect(ttlMs(ENTITY_TYPE.AUTH)).toBe(72 * 3_600_000);
  expect(ttlMs(ENTITY_TYPE.OSD)).toBe(3_600_000);
  settings.load([["auth_service_ticket_ttl", "60"]]);
  expect(ttlMs(ENTITY_TYPE.OSD)).toBe(60_000);
  settings.set("auth_service_ticket_ttl", "0.000000");
  expect(ttlMs(ENTITY_TYPE.OSD)).toBe(1000);
  settings.set("auth_service_ticket_ttl", "1e300");
  expect(ttlMs(ENTITY_TYPE.OSD)).toBe(10 * 365 * 86_400_000);
  expect(ttlMs(ENTITY_TYPE.AUTH)).toBe(72 * 3_600_000);
});
