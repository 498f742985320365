// Tables of text, their columns as wide as what is in them. Pure.

/** The first row is the head; `right` are the columns of numbers, which stand at the right. */
export function tableLines(rows: readonly (readonly string[])[], right: readonly number[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const cells = (row: readonly string[]): string[] =>
    row.map((cell, column) =>
      right.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
    );
  return rows.map((row) => cells(row).join('  ').trimEnd());
}
