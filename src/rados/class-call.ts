/**
 * Class methods from the caller's end: a name and the codecs of argument and answer, as a value.
 */

import { type Codec, decodeFromBytes, EMPTY, encodeToBytes } from "../encoding/index.ts";
import { type OsdOp, opCall } from "../messages/index.ts";

export interface ClassCall<A, R> {
  readonly cls: string;
  readonly method: string;
  readonly args: Codec<A>;
  readonly reply: Codec<R>;
}

/** No argument, or no answer. */
export const nothing: Codec<void> = {
  name: "nothing",
  minSize: 0,
  encode: () => {},
  decode: () => {},
};

/** A class's methods: `const call = classCalls("lock"); call("unlock", UnlockArgs)`. */
export function classCalls(cls: string) {
  return <A, R = void>(
    method: string,
    args: Codec<A>,
    reply: Codec<R> = nothing as Codec<unknown> as Codec<R>,
  ): ClassCall<A, R> => ({ cls, method, args, reply });
}

/** The op that makes the call. */
export function callOp<A, R>(call: ClassCall<A, R>, args: A): OsdOp {
  return opCall(call.cls, call.method, encodeToBytes(call.args, args));
}

/** The answer in the op's output. */
export function callReply<A, R>(call: ClassCall<A, R>, data: Uint8Array = EMPTY): R {
  return decodeFromBytes(call.reply, data);
}
