import { expect, test } from 'vitest';
import { Beat, piecesOf, slotsOf } from '../../../edge/progressive/beat.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

function beating(viewers: number, beatMs: number) {
  const clock = new ManualClock();
  const flushed: string[] = [];
  const beat = new Beat({ clock, beatMs, flush: (slot, slots) => flushed.push(`${slot} of ${slots}`) });
  beat.adjust(viewers);
  return { clock, flushed };
}

test('few viewers of a slot are written to in one turn', () => {
  const { clock, flushed } = beating(400, 40);
  clock.advance(20);
  expect(flushed).toEqual(['0 of 2']);
  clock.advance(20);
  expect(flushed).toEqual(['0 of 2', '1 of 2']);
});

test('many are written to in pieces, with a turn of the event loop for others between, and each once in a beat', () => {
  const { clock, flushed } = beating(1_000, 40);
  clock.advance(20);
  expect(flushed).toEqual(['0 of 6', '1 of 6', '2 of 6']);
  clock.advance(20);
  expect(flushed.slice(3)).toEqual(['3 of 6', '4 of 6', '5 of 6']);
});

test.each([
  [1, 33],
  [1_000, 33],
  [9_000, 100],
  [100_000, 350],
])('the pieces for %i viewers at %i ms fit into a slot, with 2 ms for each', (viewers, beatMs) => {
  expect(piecesOf(viewers, beatMs)).toBeGreaterThanOrEqual(1);
  expect(piecesOf(viewers, beatMs) * 2).toBeLessThanOrEqual(beatMs / slotsOf(beatMs));
});
