// What fuzzing once found stays found, each parser takes some hundred inputs by chance, and the fuzzer itself finds what is planted.

import { describe, expect, test } from 'vitest';
import { Dice } from '../../usher/simulator/dice.ts';
import { readCorpus } from './corpus.ts';
import { mutate } from './mutate.ts';
import { readTally } from './tally.ts';
import { isRefusal, stockOf, type Target } from './target.ts';
import { TARGETS } from './targets.ts';
import { fuzzWatched } from './watched.ts';

const BY_CHANCE = 300;

describe.each(TARGETS)('$name', (target) => {
  test('refuses with a named error what it can not read', async () => {
    const kept = readCorpus(target.name).map(({ input }) => input);
    for (const input of [...target.seeds(), ...kept, ...byChance(target, kept)]) {
      await expect(refusalOf(target, input), inputText(input)).resolves.toSatisfy(isNothingOrRefusal);
    }
  });
});

test('how much each parser was fuzzed is told in docs/fuzzing.md', () => {
  expect([...readTally().keys()]).toEqual(TARGETS.map(({ name }) => name).toSorted());
});

describe('the fuzzer', () => {
  test('finds a fault behind four bytes, each of which only leads to the next', async () => {
    const { findings } = await fuzzWatched({ target: 'planted', seconds: 60, inputs: 40_000, seed: 5 });
    expect(findings).toHaveLength(1);
    expect(findings[0]!.what).toContain('the fault that was planted');
    expect([...findings[0]!.input.subarray(0, 4)]).toEqual([0x48, 0x77, 0x21, 0x0a]);
  });

  test('tells on which input a parser hangs', async () => {
    const { findings } = await fuzzWatched({ target: 'endless', seconds: 5, seed: 1, hangMs: 400 });
    expect(findings).toHaveLength(1);
    expect(findings[0]!.what).toBe('no end within 400 ms');
    expect(findings[0]!.input[0]).toBe(0x48);
  });

  test('asked to end, tells what it has done by then', async () => {
    const asked = { target: 'planted', seconds: 600, seed: 1, signal: AbortSignal.abort() };
    const { runs, findings } = await fuzzWatched(asked);
    expect(runs).toBeGreaterThan(0);
    expect(findings).toHaveLength(0);
  });
});

function byChance(target: Target, kept: readonly Uint8Array[]): Uint8Array[] {
  const dice = new Dice(1, target.name);
  const known = [...target.seeds(), ...kept];
  const stock = stockOf(target, () => dice.pick(known));
  return Array.from({ length: BY_CHANCE }, () => mutate(stock.pick(), dice, stock));
}

async function refusalOf(target: Target, input: Uint8Array): Promise<unknown> {
  try {
    await target.run(input);
    return undefined;
  } catch (error) {
    return error;
  }
}

function isNothingOrRefusal(error: unknown): boolean {
  return error === undefined || isRefusal(error);
}

function inputText(input: Uint8Array): string {
  return `input ${Buffer.from(input).toString('base64')}`;
}
