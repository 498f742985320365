// What a benchmark found: plain data, and the same as text.

export interface Report {
  readonly data: unknown;
  readonly text: string;
}

/** A table in Markdown, its columns as wide as what is in them. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => ''), ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const texts = lines.map((line, index) => {
    const cells = line.map((cell, column) => cell.padEnd(widths[column]!, index === 1 ? '-' : ' '));
    return `| ${cells.join(' | ')} |\n`;
  });
  return texts.join('');
}

/** The value that a share of the samples is at or below. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
