// How much each parser has been fuzzed in all: the table of `docs/fuzzing.md`, to which every run with `--keep` adds.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { table } from '../benchmark/report.ts';
import type { Target } from './target.ts';
import { TARGETS } from './targets.ts';

export interface Fuzzed {
  readonly inputs: number;
  readonly seconds: number;
}

const FILE = join(import.meta.dirname, '../../docs/fuzzing.md');
const HEAD = ['parser', 'what it reads', 'inputs', 'minutes', 'inputs per second'];
const NOTHING: Fuzzed = { inputs: 0, seconds: 0 };
/** Minutes are told to a tenth. */
const ROW = /^\| (\S+) +\| [^|]+ \| ([\d,]+) +\| ([\d.,]+) +\|/gm;
const TABLE = /^\| parser [\s\S]*\|$/m;

/** By the parser's name. */
export function readTally(): ReadonlyMap<string, Fuzzed> {
  const rows = readFileSync(FILE, 'utf8').matchAll(ROW);
  return new Map(
    [...rows].map(([, name, inputs, minutes]) => [
      name!,
      { inputs: numberIn(inputs!), seconds: Math.round(numberIn(minutes!) * 60) },
    ]),
  );
}

export function addToTally(target: string, { inputs, seconds }: Fuzzed): void {
  const tally = new Map(readTally());
  const before = tally.get(target) ?? NOTHING;
  tally.set(target, { inputs: before.inputs + inputs, seconds: before.seconds + seconds });
  writeFileSync(FILE, readFileSync(FILE, 'utf8').replace(TABLE, tableOf(tally).trimEnd()));
}

function tableOf(tally: ReadonlyMap<string, Fuzzed>): string {
  const rows = TARGETS.toSorted(byName).map(({ name, reads }) => {
    const { inputs, seconds } = tally.get(name) ?? NOTHING;
    const perSecond = Math.round(inputs / Math.max(seconds, 1));
    return [name, reads, grouped(inputs), grouped(Number((seconds / 60).toFixed(1))), grouped(perSecond)];
  });
  return table(HEAD, rows);
}

function byName(one: Target, other: Target): number {
  return one.name < other.name ? -1 : 1;
}

function numberIn(text: string): number {
  return Number(text.replaceAll(',', ''));
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}
