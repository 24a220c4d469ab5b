/** Tables as the original prints them. ceph: src/common/TextTable.cc */

export interface Column {
  readonly title: string;
  /** @default left; titles are always left */
  readonly align?: "right";
}

/** Lines with their line ends: columns two blanks apart, each filled up with blanks, the last one too. */
export function textTable(
  columns: readonly Column[],
  rows: readonly (readonly (string | number | bigint)[])[],
): string {
  const texts = rows.map((row) => columns.map((_, i) => String(row[i] ?? "")));
  const widths = columns.map(({ title }, i) =>
    Math.max(title.length, ...texts.map((row) => row[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[], isTitle: boolean) =>
    cells
      .map((cell, i) => {
        const width = widths[i] ?? 0;
        const isRight = columns[i]?.align === "right" && !isTitle;
        return isRight ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ");
  const titles = columns.map(({ title }) => title);
  return [line(titles, true), ...texts.map((row) => line(row, false))]
    .map((text) => `${text}\n`)
    .join("");
}

export function left(title: string): Column {
  return { title };
}

export function right(title: string): Column {
  return { title, align: "right" };
}
