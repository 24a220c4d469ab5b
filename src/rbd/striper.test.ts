import { describe, expect, test } from "vitest";
import { byObject, imageToObjects, objectToImage } from "./striper.ts";

const PLAIN = { objectSize: 4096, stripeUnit: 4096, stripeCount: 1 };
const STRIPED = { objectSize: 4096, stripeUnit: 1024, stripeCount: 3 };

describe("without stripes", () => {
  test("a range is cut where objects end", () => {
    expect(imageToObjects(PLAIN, 4000, 5000)).toEqual([
      { objectNo: 0, objectOffset: 4000, imageOffset: 4000, length: 96 },
      { objectNo: 1, objectOffset: 0, imageOffset: 4096, length: 4096 },
      { objectNo: 2, objectOffset: 0, imageOffset: 8192, length: 808 },
    ]);
  });

  test("an object is one run", () => {
    expect(objectToImage(PLAIN, 7)).toEqual([
      { objectNo: 7, objectOffset: 0, imageOffset: 7 * 4096, length: 4096 },
    ]);
  });
});

describe("with stripes", () => {
  test("units go round the objects, then up", () => {
    const places = imageToObjects(STRIPED, 0, 7 * 1024).map((p) => [p.objectNo, p.objectOffset]);
    expect(places).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
      [0, 1024],
      [1, 1024],
      [2, 1024],
      [0, 2048],
    ]);
  });

  test("after a full set comes the next one", () => {
    expect(imageToObjects(STRIPED, 12 * 1024, 1)).toEqual([
      { objectNo: 3, objectOffset: 0, imageOffset: 12 * 1024, length: 1 },
    ]);
  });

  test("both ways agree on every byte range of two sets", () => {
    for (let objectNo = 0; objectNo < 6; objectNo++) {
      for (const piece of objectToImage(STRIPED, objectNo)) {
        expect(imageToObjects(STRIPED, piece.imageOffset, piece.length)).toEqual([piece]);
      }
    }
  });
});

test("nothing is in no object", () => {
  expect(imageToObjects(PLAIN, 100, 0)).toEqual([]);
});

test("stripe units of a range that lie one after the other in an object are one extent", () => {
  const layout = { objectSize: 64, stripeUnit: 16, stripeCount: 2 };
  const extents = byObject(imageToObjects(layout, 8, 120));
  expect(extents.map(({ objectNo, offset, length }) => [objectNo, offset, length])).toEqual([
    [0, 8, 56],
    [1, 0, 64],
  ]);
  expect(extents[0]?.parts.map(({ imageOffset }) => imageOffset)).toEqual([8, 32, 64, 96]);
});
