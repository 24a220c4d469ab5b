#!/usr/bin/env node
// npm run check: types (of all, then of the library alone), lint, format, tidy. Runs them all and fails when one does.
import process from "node:process";
import { step } from "./steps.mjs";

const results = [
  step("types", "tsc", ["--noEmit", "-p", "."]),
  // The library alone: nothing of it may reach into the tests.
  step("library", "tsc", ["--noEmit", "-p", "tsconfig.build.json"]),
  step("lint", "oxlint", ["--type-aware"]),
  step("format", "biome", ["check", "."]),
  step("tidy", "vitest", ["run", "--project", "unit", "test/tidy"]),
];
process.exit(results.every(Boolean) ? 0 : 1);
