// Changes of YAML that leave what is around a value, or a line, as it was.

import type { Dice } from '../../../usher/simulator/dice.ts';
import { changeOrder, type FormatChange, repeatedly, type Stock } from '../mutate.ts';

export const changeYaml: FormatChange = (input, times, dice, stock) =>
  bytesOf(repeatedly(textOf(input), times, (text) => dice.pick(CHANGES)(text, dice, stock)));

const CHANGES: readonly ((text: string, dice: Dice, stock: Stock) => string)[] = [
  (text, dice) => withValue(text, dice, dice.pick(VALUES)),
  (text, dice, { words }) => withValue(text, dice, textOf(dice.pick(words))),
  (text, dice, { pick }) => withValue(text, dice, dice.pick(textOf(pick()).match(VALUE) ?? [''])),
  (text, dice, { pick }) => changeOrder(text.split('\n'), dice, () => textOf(pick()).split('\n')).join('\n'),
  (text, dice) => {
    const lines = text.split('\n');
    const at = dice.upTo(lines.length);
    return lines.with(at, indented(lines[at]!, dice)).join('\n');
  },
];

/** Keys too. */
const VALUE = /[\w.+-]+/g;
const VALUES = [
  ...[
    '0',
    '-1',
    '1',
    '1.5',
    '90',
    '95',
    '181',
    '1e9',
    '1e999',
    '.inf',
    '.nan',
    '0x10',
    '4294967296',
    '1_000',
  ],
  ...[
    'null',
    '~',
    'true',
    '""',
    '[]',
    '{}',
    "'",
    '!!int x',
    '!!binary aGk=',
    '2026-11-21',
    '*a',
    '&a 1',
    '<<',
    '|',
    '>-',
  ],
];

function withValue(text: string, dice: Dice, value: string): string {
  const values = [...text.matchAll(VALUE)];
  if (values.length === 0) return value;
  const { 0: old, index } = dice.pick(values);
  return text.slice(0, index) + value + text.slice(index + old.length);
}

function indented(line: string, dice: Dice): string {
  return dice.upTo(2) === 0 ? `  ${line}` : line.replace(/^ {2}/, '');
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}
