// The results of several policies side by side, as text that a person can read, and the same as data. Pure.

import type { Scenario } from '../scenario.ts';
import type { Comparison } from './comparison.ts';
import { BRIEF, type Line, SECTIONS } from './sections.ts';

export function tableOf({ scenario, seed, results }: Comparison): string {
  const head = ['', ...results.map(({ policy }) => policy)];
  const rows = SECTIONS.flatMap(({ title, lines }) => [
    [title, ...results.map(() => '')],
    ...lines.map(({ label, text }) => [`  ${label}`, ...results.map(text)]),
  ]);
  return `${titleOf(scenario, seed)}\n\n${inColumns([head, ...rows])}\n\n${NOTES}\n`;
}

/** A line for each policy, and of the figures those that decide. */
export function briefOf({ scenario, results }: Comparison): string {
  const head = [scenario.name, ...BRIEF.map(({ label }) => label)];
  const rows = results.map((result) => [result.policy, ...BRIEF.map(({ text }: Line) => text(result))]);
  return `${inColumns([head, ...rows])}\n`;
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
send what they can of what they are asked for; ours refuse what would take them past 100 %. Viewers who are interrupted ask again.
Who refuses viewers, or has them stall, pays less for it: with all served, the cheapest CDN takes what nobody else sent.
What our servers keep back for copies and for what CDNs pull, 5 % of each at most, counts as room here.`;

function inColumns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => row.map((cell, column) => align(cell, column, widths[column]!)));
  return lines.map((cells) => cells.join('  ').trimEnd()).join('\n');
}

function align(cell: string, column: number, width: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}
