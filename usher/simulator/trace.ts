// A trace of viewers as CSV: `second,stream,audience,viewers,minutes`, one line for those who come together. Pure.

import { CodedError } from '../../network/errors.ts';
import { quoted } from '../../network/names.ts';
import type { TraceRow } from './scenario.ts';

const HEAD = 'second,stream,audience,viewers,minutes';
const MAX_VIEWERS = 10_000_000;

/** A row for each viewer. Throws `bad_scenario` with the line. */
export function readTrace(file: string, text: string): TraceRow[] {
  const [head, ...lines] = text.split(/\r?\n/);
  if (head !== HEAD) throw wrong(file, 1, `the first line is ${HEAD}; got ${quoted(head ?? '')}`);
  const rows: TraceRow[] = [];
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    const { viewers, row } = readLine(file, index + 2, line);
    if (rows.length + viewers > MAX_VIEWERS) throw wrong(file, index + 2, `more than ${MAX_VIEWERS} viewers`);
    for (let count = 0; count < viewers; count++) rows.push(row);
  }
  return rows;
}

function readLine(file: string, number: number, line: string): { viewers: number; row: TraceRow } {
  const cells = line.split(',');
  const [second, stream, , viewers, minutes] = cells.map(Number);
  const isSound =
    cells.length === 5 &&
    isAtLeast(second, 0) &&
    Number.isInteger(stream) &&
    isAtLeast(stream, 1) &&
    Number.isInteger(viewers) &&
    isAtLeast(viewers, 0) &&
    isAtLeast(minutes, 0);
  if (!isSound) throw wrong(file, number, `a line is ${HEAD}; got ${quoted(line)}`);
  return { viewers, row: { second, stream, audience: cells[2]!, minutes } };
}

function isAtLeast(value: number | undefined, least: number): value is number {
  return value !== undefined && value >= least && Number.isFinite(value);
}

function wrong(file: string, line: number, what: string): CodedError {
  return new CodedError('bad_scenario', `${file}:${line}: ${what}`);
}
