/**
 * Why words do not match a signature. The kind decides whether another signature is tried; the text is what
 * the user reads.
 * ceph: src/pybind/ceph_argparse.py ArgumentError and its kinds
 */

export type ArgumentErrorKind =
  /** The command's own words are others: not this command. */
  | "prefix"
  /** A required argument is not there. */
  | "missing"
  /** Fewer arguments than the signature has: another one may fit. */
  | "too-few"
  /** This command, with a wrong argument. */
  | "invalid";

export class ArgumentError extends Error {
  readonly kind: ArgumentErrorKind;

  constructor(kind: ArgumentErrorKind, message: string) {
    super(message);
    this.name = "ArgumentError";
    this.kind = kind;
  }
}

export function invalid(message: string): ArgumentError {
  return new ArgumentError("invalid", message);
}
