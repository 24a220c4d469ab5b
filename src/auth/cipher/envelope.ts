/**
 * What opens every plaintext of cephx, whatever the cipher: u8 1, u64 AUTH_ENC_MAGIC.
 * ceph: src/auth/cephx/CephxProtocol.h (encode_encrypt_enc_bl)
 */

import { type Reader, Writer } from "../../encoding/index.ts";

const ENC_MAGIC = 0xff009cad8826aa55n;

export function writeEnvelope(body: (w: Writer) => void): Buffer {
  const w = new Writer();
  w.u8(1);
  w.u64(ENC_MAGIC);
  body(w);
  return w.finish();
}

/** Reads over it. Throws DecodeError if it is not there. */
export function readEnvelope(r: Reader): void {
  if (r.u8() !== 1 || r.u64() !== ENC_MAGIC) throw r.fail("not a plaintext of cephx");
}
