/**
 * Where the bytes of an image are in its objects, and the other way round. Bytes go round the objects of a
 * set, a stripe unit at a time, until all of them are full; then comes the next set.
 * ceph: src/osdc/Striper.cc
 */

/** How an image is cut into objects. */
export interface Layout {
  readonly objectSize: number;
  readonly stripeUnit: number;
  readonly stripeCount: number;
}

/** A run of bytes that is one run in the image and in an object. */
export interface Piece {
  readonly objectNo: number;
  readonly objectOffset: number;
  readonly imageOffset: number;
  readonly length: number;
}

/** Objects that hold so many bytes of the image.  ceph: Striper::get_num_objects */
export function objectsIn({ objectSize, stripeUnit, stripeCount }: Layout, size: number): number {
  const period = stripeCount * objectSize;
  const periods = Math.ceil(size / period);
  const rest = size % period;
  const missing =
    rest > 0 && rest < stripeCount * stripeUnit ? stripeCount - Math.ceil(rest / stripeUnit) : 0;
  return periods * stripeCount - missing;
}

/** Pieces of a range of the image, in its order. */
export function imageToObjects(layout: Layout, offset: number, length: number): Piece[] {
  const { objectSize, stripeUnit, stripeCount } = layout;
  const unitsPerObject = objectSize / stripeUnit;
  const pieces: Piece[] = [];
  for (let at = offset; at < offset + length; ) {
    const unit = Math.floor(at / stripeUnit);
    const stripe = Math.floor(unit / stripeCount);
    const set = Math.floor(stripe / unitsPerObject);
    const inUnit = at % stripeUnit;
    const run = Math.min(stripeUnit - inUnit, offset + length - at);
    pieces.push({
      objectNo: set * stripeCount + (unit % stripeCount),
      objectOffset: (stripe % unitsPerObject) * stripeUnit + inUnit,
      imageOffset: at,
      length: run,
    });
    at += run;
  }
  return merged(pieces);
}

/** Pieces of a whole object, in its order. */
export function objectToImage(layout: Layout, objectNo: number): Piece[] {
  const { objectSize, stripeUnit, stripeCount } = layout;
  const unitsPerObject = objectSize / stripeUnit;
  const set = Math.floor(objectNo / stripeCount);
  const column = objectNo % stripeCount;
  const pieces: Piece[] = [];
  for (let i = 0; i < unitsPerObject; i++) {
    const unit = (set * unitsPerObject + i) * stripeCount + column;
    pieces.push({
      objectNo,
      objectOffset: i * stripeUnit,
      imageOffset: unit * stripeUnit,
      length: stripeUnit,
    });
  }
  return merged(pieces);
}

/** A run of bytes of an object, and where its parts are in the image. */
export interface ObjectExtent {
  readonly objectNo: number;
  readonly offset: number;
  readonly length: number;
  /** In the order of the object. */
  readonly parts: readonly Piece[];
}

/** Joins pieces that go on in their object, wherever they are in the image. */
export function byObject(pieces: readonly Piece[]): ObjectExtent[] {
  const extents: { objectNo: number; offset: number; length: number; parts: Piece[] }[] = [];
  const last = new Map<number, (typeof extents)[number]>();
  for (const piece of pieces) {
    const { objectNo, objectOffset, length } = piece;
    const before = last.get(objectNo);
    if (before !== undefined && before.offset + before.length === objectOffset) {
      before.length += length;
      before.parts.push(piece);
      continue;
    }
    const extent = { objectNo, offset: objectOffset, length, parts: [piece] };
    extents.push(extent);
    last.set(objectNo, extent);
  }
  return extents;
}

/** Joins pieces that go on in both places. */
function merged(pieces: readonly Piece[]): Piece[] {
  const out: Piece[] = [];
  for (const piece of pieces) {
    const last = out.at(-1);
    if (
      last !== undefined &&
      last.objectNo === piece.objectNo &&
      last.objectOffset + last.length === piece.objectOffset &&
      last.imageOffset + last.length === piece.imageOffset
    ) {
      out[out.length - 1] = { ...last, length: last.length + piece.length };
    } else {
      out.push(piece);
    }
  }
  return out;
}
