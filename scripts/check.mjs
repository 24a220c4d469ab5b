#!/usr/bin/env node
// npm run check: types, lint, format, tidy. Runs them all and fails when one does.
import process from "node:process";
import { step } from "./steps.mjs";

const results = [
  step("types", "tsc", ["--noEmit", "-p", "."]),
  step("lint", "oxlint", ["--type-aware"]),
  step("format", "biome", ["check", "."]),
  step("tidy", "vitest", ["run", "--project", "unit", "test/tidy"]),
];
process.exit(results.every(Boolean) ? 0 : 1);
