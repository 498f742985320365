// Tables of text, their columns as wide as what is seen of what is in them. Pure.

import { stripVTControlCharacters } from 'node:util';

/** The first row is the head; `right` are the columns of numbers, which stand at the right. Cells may be painted. */
export function tableLines(rows: readonly (readonly string[])[], right: readonly number[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => widthOf(row[column]!))));
  const cells = (row: readonly string[]): string[] =>
    row.map((cell, column) => {
      const space = ' '.repeat(widths[column]! - widthOf(cell));
      return right.includes(column) ? space + cell : cell + space;
    });
  return rows.map((row) => cells(row).join('  ').trimEnd());
}

function widthOf(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
