#!/usr/bin/env node
// Writes docs/compatibility.md from what the tests ran: npm run docs:compatibility
import { writeFileSync } from "node:fs";
import process from "node:process";
import { loadTs, ROOT } from "./load-ts.mjs";

process.chdir(ROOT);
const { COMPATIBILITY_FILE, compatibilityPage } = await loadTs("test/harness/compatibility.ts");
writeFileSync(COMPATIBILITY_FILE, compatibilityPage());
