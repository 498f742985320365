// What is fuzzed: one parser of outside bytes, with valid inputs to begin from.

import { CodedError } from '../../network/errors.ts';
import type { FormatChange, Stock } from './mutate.ts';

export interface Target {
  readonly name: string;
  /** In a few words, for who reads the tally. */
  readonly reads: string;
  /** Valid inputs: the first generation. */
  readonly seeds: () => readonly Uint8Array[];
  /** Words of the format, which chance would not find. */
  readonly words?: readonly string[];
  /** Leaves the format's framing whole, so that what is inside of it is reached. */
  readonly inFormat?: FormatChange;
  /** Longer inputs are cut; most faults of a parser are within a few hundred bytes. */
  readonly maxBytes?: number;
  /** Reads an input. What it throws is a finding, unless it is what `isRefusal` says. */
  run(input: Uint8Array): void | Promise<void>;
}

const DEFAULT_MAX_BYTES = 4096;

export function stockOf(
  { words = [], maxBytes = DEFAULT_MAX_BYTES, inFormat }: Target,
  pick: Stock['pick'],
): Stock {
  return { pick, words: words.map((word) => Buffer.from(word, 'latin1')), maxBytes, inFormat };
}

/** Bad input gets a named error; anything else that is thrown is a mistake of the parser. */
export function isRefusal(error: unknown): boolean {
  return error instanceof CodedError;
}

/** Runs a parser of text on bytes: each byte one character, so that every text of Latin letters is an input. */
export function onText(read: (text: string) => unknown): (input: Uint8Array) => void {
  return (input) => {
    read(Buffer.from(input).toString('latin1'));
  };
}

export function texts(...seeds: readonly string[]): () => Uint8Array[] {
  return () => seeds.map((seed) => Buffer.from(seed, 'latin1'));
}
