// When the viewers of each slot are written to.

import { afterEach, expect, test } from 'vitest';
import { Beat } from '../../../edge/progressive/beat.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

/** A beat goes on for as long as there are viewers, and so does the writing of one that has too little time. */
let running: Beat | undefined;
afterEach(() => running?.adjust(0));

/** Writing to a slot is done in pieces of a millisecond. */
function beating(beatMs: number, pieces: number) {
  const clock = new ManualClock(0);
  const flushed: string[] = [];
  function* flush(slot: number, slots: number): Generator<void> {
    flushed.push(`${slot} of ${slots} at ${clock.monotonic()}`);
    for (let piece = 0; piece < pieces; piece++) {
      clock.advance(1);
      yield;
    }
  }
  const beat = new Beat({ clock, beatMs, flush });
  running = beat;
  beat.adjust(1_000);
  return { clock, beat, flushed };
}

test('each slot has its time in the beat, however long writing to the one before took', () => {
  const { clock, flushed } = beating(60, 18);
  clock.advance(80);
  expect(flushed).toEqual(['0 of 3 at 20', '1 of 3 at 40', '2 of 3 at 60', '0 of 3 at 80']);
});

test('when there is not enough time, slots follow each other at once, and nothing is made up for later', () => {
  const { clock, flushed } = beating(60, 30);
  clock.advance(120);
  expect(flushed).toEqual(['0 of 3 at 20', '1 of 3 at 50', '2 of 3 at 80', '0 of 3 at 110']);
});

test('others have their turn while a slot is written to', () => {
  const { clock, flushed } = beating(20, 10);
  const came: number[] = [];
  clock.every(3, () => came.push(clock.monotonic()));
  clock.advance(30);
  expect(flushed).toEqual(['0 of 1 at 20']);
  expect(came.filter((atMs) => atMs > 20 && atMs < 30)).toHaveLength(3);
});

test('a beat that changes is completed first, and then everybody is written to', () => {
  const { clock, beat, flushed } = beating(40, 0);
  clock.advance(20);
  beat.adjust(0);
  clock.advance(100);
  expect(flushed).toEqual(['0 of 2 at 20', '1 of 2 at 40', '0 of 1 at 40']);
  expect(beat.ms).toBe(0);
});
