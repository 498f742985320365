// Makes an input out of others: what fuzzers do to bytes, by a given dice.

import type { Dice } from '../../usher/simulator/dice.ts';

export interface Stock {
  readonly pick: () => Uint8Array;
  readonly words: readonly Uint8Array[];
  readonly maxBytes: number;
}

type Change = (input: Uint8Array, dice: Dice, stock: Stock) => Uint8Array;

/** One to eight changes on top of each other. */
export function mutate(input: Uint8Array, dice: Dice, stock: Stock): Uint8Array {
  let mutated = input;
  for (let left = 1 << dice.upTo(4); left > 0; left--) {
    mutated = CHANGES[dice.upTo(CHANGES.length)]!(mutated, dice, stock);
  }
  return mutated.subarray(0, stock.maxBytes);
}

/** Sizes and counts at which arithmetic goes wrong. */
const EDGES = [
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
