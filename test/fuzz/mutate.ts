// Makes an input out of others: what fuzzers do to bytes, by a given dice.

import type { Dice } from '../../usher/simulator/dice.ts';

export interface Stock {
  readonly pick: () => Uint8Array;
  readonly words: readonly Uint8Array[];
  readonly maxBytes: number;
  /** Knows the format: what comes of it is framed as it was. */
  readonly inFormat: FormatChange | undefined;
}

type Change = (input: Uint8Array, dice: Dice, stock: Stock) => Uint8Array;

/** So many changes on top of each other. */
export type FormatChange = (input: Uint8Array, times: number, dice: Dice, stock: Stock) => Uint8Array;

/** One to eight changes; for half of the inputs, all of them within the format if it is known. */
export function mutate(input: Uint8Array, dice: Dice, stock: Stock): Uint8Array {
  const times = 1 << dice.upTo(4);
  const isInFormat = stock.inFormat !== undefined && dice.upTo(2) === 0;
  const mutated = isInFormat
    ? stock.inFormat!(input, times, dice, stock)
    : repeatedly(input, times, (bytes) => changeBytes(bytes, dice, stock));
  return mutated.subarray(0, stock.maxBytes);
}

export function repeatedly<T>(first: T, times: number, change: (value: T) => T): T {
  let value = first;
  for (let left = times; left > 0; left--) value = change(value);
  return value;
}

/** One change that knows no format, of a part of an input. */
export function changeBytes(part: Uint8Array, dice: Dice, stock: Stock): Uint8Array {
  return dice.pick(CHANGES)(part, dice, stock);
}

/** Removes, repeats, exchanges or takes from elsewhere one of the parts of an input. */
export function changeOrder<T>(parts: readonly T[], dice: Dice, others: () => readonly T[]): T[] {
  const at = dice.upTo(parts.length);
  const to = dice.upTo(parts.length + 1);
  const choice = dice.upTo(4);
  if (choice === 0) return parts.toSpliced(at, 1);
  if (choice === 1) return parts.toSpliced(to, 0, ...parts.slice(at, at + 1));
  if (choice === 2) return parts.toSpliced(at, 1).toSpliced(to, 0, ...parts.slice(at, at + 1));
  const elsewhere = others();
  const from = dice.upTo(elsewhere.length);
  return parts.toSpliced(to, 0, ...elsewhere.slice(from, from + 1));
}

/** Sizes and counts at which arithmetic goes wrong. */
export const EDGES = [
  0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0xff_ffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
];

const CHANGES: readonly Change[] = [
  flipBit,
  setByte,
  setByte,
  writeEdge,
  addSmall,
  remove,
  repeat,
  insertNoise,
  insertWord,
  insertWord,
  splice,
  overwriteFromOther,
];

function flipBit(input: Uint8Array, dice: Dice): Uint8Array {
  return changed(input, dice, (bytes, at) => {
    bytes[at]! ^= 1 << dice.upTo(8);
  });
}

function setByte(input: Uint8Array, dice: Dice): Uint8Array {
  return changed(input, dice, (bytes, at) => {
    bytes[at] = dice.upTo(256);
  });
}

function addSmall(input: Uint8Array, dice: Dice): Uint8Array {
  return changed(input, dice, (bytes, at) => {
    bytes[at]! += dice.upTo(33) - 16;
  });
}

/** Most formats have their sizes in 1 to 4 bytes, the highest first. */
function writeEdge(input: Uint8Array, dice: Dice): Uint8Array {
  const value = EDGES[dice.upTo(EDGES.length)]!;
  const width = 1 + dice.upTo(4);
  return changed(input, dice, (bytes, at) => {
    for (let index = 0; index < width && at + index < bytes.length; index++) {
      bytes[at + index] = value >>> (8 * (width - 1 - index));
    }
  });
}

function remove(input: Uint8Array, dice: Dice): Uint8Array {
  const [from, to] = range(input, dice);
  return joined(input.subarray(0, from), input.subarray(to));
}

function repeat(input: Uint8Array, dice: Dice): Uint8Array {
  const [from, to] = range(input, dice);
  return joined(input.subarray(0, to), input.subarray(from));
}

function insertNoise(input: Uint8Array, dice: Dice): Uint8Array {
  const noise = Uint8Array.from({ length: 1 + dice.upTo(16) }, () => dice.upTo(256));
  return inserted(input, noise, dice);
}

function insertWord(input: Uint8Array, dice: Dice, { words }: Stock): Uint8Array {
  return words.length === 0 ? flipBit(input, dice) : inserted(input, words[dice.upTo(words.length)]!, dice);
}

function splice(input: Uint8Array, dice: Dice, { pick }: Stock): Uint8Array {
  const other = pick();
  return joined(input.subarray(0, dice.upTo(input.length + 1)), other.subarray(dice.upTo(other.length + 1)));
}

function overwriteFromOther(input: Uint8Array, dice: Dice, { pick }: Stock): Uint8Array {
  const other = pick();
  const [from, to] = range(other, dice);
  return changed(input, dice, (bytes, at) =>
    bytes.set(other.subarray(from, Math.min(to, from + bytes.length - at)), at),
  );
}

function changed(input: Uint8Array, dice: Dice, change: (bytes: Uint8Array, at: number) => void): Uint8Array {
  const bytes = Uint8Array.from(input.length === 0 ? [0] : input);
  change(bytes, dice.upTo(bytes.length));
  return bytes;
}

function inserted(input: Uint8Array, what: Uint8Array, dice: Dice): Uint8Array {
  const at = dice.upTo(input.length + 1);
  return joined(input.subarray(0, at), what, input.subarray(at));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Mostly short, now and then long. */
function range(input: Uint8Array, dice: Dice): [number, number] {
  const from = dice.upTo(input.length + 1);
  const longest = dice.upTo(4) === 0 ? input.length : 16;
  return [from, Math.min(input.length, from + 1 + dice.upTo(longest + 1))];
}
