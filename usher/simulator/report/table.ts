// The results of several policies side by side, as text that a person can read, and the same as data. Pure.

import type { Scenario } from '../scenario.ts';
import type { Comparison } from './comparison.ts';
import { SECTIONS } from './sections.ts';

export function tableOf({ scenario, seed, results }: Comparison): string {
  const head = ['', ...results.map(({ policy }) => policy)];
  const rows = SECTIONS.flatMap(({ title, lines }) => [
    [title, ...results.map(() => '')],
    ...lines.map(({ label, text }) => [`  ${label}`, ...results.map(text)]),
  ]);
  const table = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) => row.map((cell, column) => align(cell, column, widths[column]!)));
  const text = lines.map((cells) => cells.join('  ').trimEnd()).join('\n');
  return `${titleOf(scenario, seed)}\n\n${text}\n\n${NOTES}\n`;
}

/** Without what changes over time, which is for pictures. */
export function summaryOf({ scenario, seed, results }: Comparison): object {
  const { name, about, minutes, warmupMinutes } = scenario;
  const policies = results.map(({ curves: _, trees: __, ...rest }) => rest);
  return { scenario: { name, about, minutes, warmupMinutes }, seed, policies };
}

export function titleOf({ name, about, minutes, warmupMinutes }: Scenario, seed: number): string {
  const length = minutes >= 120 ? `${minutes / 60} hours` : `${minutes} minutes`;
  return `${name}: ${about}\n${length} after a warm-up of ${warmupMinutes} minutes that does not count, seed ${seed}.`;
}

export const NOTES = `Transit is billed by the percentile of the month so far, whose days before were as the warm-up's end is, or by volume. No other system
has a CDN here (catalyst sends a fixed share of viewers to one, whatever the load: that share is none). Servers of other systems
send what they can of what they are asked for; ours refuse what would take them past 100 %. Viewers who are interrupted ask again.`;

function align(cell: string, column: number, width: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}
