/**
 * Tables as Ceph's tools print them: columns two blanks apart, every cell padded to its column, also the last.
 * ceph: src/common/TextTable.h
 */

export type Align = "left" | "right";

export class TextTable {
  readonly #heads: { text: string; head: Align; cell: Align }[] = [];
  readonly #rows: string[][] = [];

  /** A column: its heading, how the heading and how the cells lie in it. */
  column(text: string, head: Align, cell: Align): this {
    this.#heads.push({ text, head, cell });
    return this;
  }

  row(...cells: (string | number)[]): this {
    this.#rows.push(cells.map(String));
    return this;
  }

  /** Every line with its line end. */
  toString(): string {
    const widths = this.#heads.map((head, i) =>
      this.#rows.reduce((most, row) => Math.max(most, (row[i] ?? "").length), head.text.length),
    );
    const pad = (text: string, align: Align, width: number) =>
      align === "left" ? text.padEnd(width) : text.padStart(width);
    const lines = [
      this.#heads.map((head, i) => pad(head.text, head.head, widths[i] ?? 0)),
      ...this.#rows.map((row) =>
        this.#heads.map((head, i) => pad(row[i] ?? "", head.cell, widths[i] ?? 0)),
      ),
    ];
    return lines.map((cells) => `${cells.join("  ")}\n`).join("");
  }
}
