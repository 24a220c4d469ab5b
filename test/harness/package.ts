/** This package as its users have it: by name, through what it exports of the last build. */
import { requireBuild } from "./spirula.ts";

/** @param entry "" for the package itself, or the part behind the slash: `rados` */
export async function loadPackage<T>(entry: string): Promise<T> {
  requireBuild();
  // Spelled at run time, so that the compiler does not look for what is not built yet.
  const name: string = entry === "" ? "spirula" : `spirula/${entry}`;
  return (await import(name)) as T;
}
