/** Resolves when all have; rejects with the first failure in their order, but not before each has come to its end. */
export async function settled(work: readonly Promise<unknown>[]): Promise<void> {
  if (work.length > 1) await Promise.allSettled(work);
  await Promise.all(work);
}
