import { defineConfig } from "vitest/config";

// One runner for every tier. `unit` is pure and fast; the others are named for the folder they live in.
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["src/**/*.test.ts", "test/tidy/**/*.test.ts"] } },
      {
        // Every truncation and every flipped bit: seconds on a busy machine.
        test: { name: "vectors", include: ["test/vectors/**/*.test.ts"], testTimeout: 60_000 },
      },
      {
        test: { name: "property", include: ["test/property/**/*.test.ts"], testTimeout: 60_000 },
      },
      { test: { name: "compliance", include: ["test/compliance/**/*.test.ts"] } },
      { test: { name: "compat", include: ["test/compat/**/*.test.ts"] } },
      { test: { name: "crash", include: ["test/crash/**/*.test.ts"], testTimeout: 120_000 } },
      { test: { name: "fuzz", include: ["test/fuzz/**/*.test.ts"] } },
      { test: { name: "sim", include: ["test/sim/**/*.test.ts"], testTimeout: 120_000 } },
      {
        test: {
          name: "interop",
          include: ["test/interop/**/*.test.ts"],
          pool: "forks",
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 300_000,
        },
      },
      {
        // By hand, on one cluster after the other: npm run test:round-trip.
        test: {
          name: "round-trip",
          include: ["test/round-trip/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
