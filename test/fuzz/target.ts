// What is fuzzed: one parser of outside bytes, with valid inputs to begin from.

import { CodedError } from '../../network/errors.ts';

export interface Target {
  readonly name: string;
  /** In a few words, for who reads the tally. */
  readonly reads: string;
  /** Valid inputs: the first generation. */
  readonly seeds: () => readonly Uint8Array[];
  /** Words of the format, which chance would not find. */
  readonly words?: readonly string[];
  /** Longer inputs are cut; most faults of a parser are within a few hundred bytes. */
  readonly maxBytes?: number;
  /** Reads an input. What it throws is a finding, unless it is what `isRefusal` says. */
  run(input: Uint8Array): void | Promise<void>;
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
