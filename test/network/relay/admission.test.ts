import { describe, expect, test } from 'vitest';
import { Feed } from '../../../network/feed/feed.ts';
import { type Admission, admit, isContinued, MAX_AHEAD_CHUNKS } from '../../../network/relay/admission.ts';
import { Broadcaster } from '../../tools/media/feed.ts';

const feed = new Broadcaster({ hasAudio: false, gopS: 1 }, new Feed({ windowMs: 5_000, minSegments: 2 }))
  .play(10)
  .restart()
  .play(3).feed;
const secondEpoch = feed.segments.find(({ startsEpoch }) => startsEpoch)!.sequence;

function ask(from?: number, epoch?: number): Admission {
  const resumption = from === undefined ? undefined : { from, epoch };
  return admit(feed, ['o', 'a'], { stream: 'alice', rendition: 'source', as: 'b', resumption });
}

describe('a server that asks for a feed', () => {
  test('and has nothing begins with the third segment from the newest', () => {
    expect(ask()).toMatchObject({ kind: 'admitted', place: { next: feed.segments.at(-3)!.sequence } });
  });

  test('and has nothing begins further back if it wants more of what is held', () => {
    const backAt = (backS: number): number => {
      const request = { stream: 'alice', rendition: 'source', as: 'b', resumption: undefined, backS };
      return (admit(feed, ['o', 'a'], request) as { place: { next: number } }).place.next;
    };
    const [oldest] = feed.segments;
    const far = feed.segments.findLast(
      ({ arrivedAtMs }) => arrivedAtMs <= feed.segments.at(-1)!.arrivedAtMs - 4_000,
    )!;
    expect(backAt(4)).toBe(far.sequence);
    expect(backAt(60)).toBe(oldest!.sequence);
    expect(backAt(1)).toBe(feed.segments.at(-3)!.sequence);
  });

  test('begins at a key frame even if segments are shorter than that', () => {
    const long = new Broadcaster({ hasAudio: false, gopS: 8, cutS: 2 }).play(15).feed;
    const admission = admit(long, ['o'], { stream: 's', rendition: 'r', as: 'b', resumption: undefined });
    expect(long.at((admission as { place: { next: number } }).place.next)!.keyframe).toBe(true);
  });

  test.each([
    ['at the beginning of the window', () => feed.first, 100],
    ['at an epoch’s beginning', () => secondEpoch, 100],
    ['in the newer epoch', () => secondEpoch + 1, 101],
    ['at the head', () => feed.next, 101],
    ['a little ahead', () => feed.next + MAX_AHEAD_CHUNKS, 101],
  ])('goes on %s', (_, from, epoch) => {
    expect(ask(from(), epoch)).toMatchObject({ kind: 'admitted', place: { next: from() } });
  });

  test.each([
    ['further ahead than servers are of each other', () => feed.next + MAX_AHEAD_CHUNKS + 1, 101, 409],
    ['behind the window', () => feed.first - 1, 100, 410],
    ['with the same numbers of another feed', () => secondEpoch + 1, 100, 410],
    ['with numbers that came back', () => feed.next + 10, 100, 410],
    ['from an epoch that is still to come', () => secondEpoch, 102, 410],
  ])('is refused %s', (_, from, epoch, status) => {
    expect(ask(from(), epoch)).toMatchObject({ kind: 'refused', status });
  });

  test('is refused when the feed comes by way of it', () => {
    const request = { stream: 's', rendition: 'r', as: 'o', resumption: undefined };
    expect(admit(feed, ['o', 'a'], request)).toMatchObject({ kind: 'refused', status: 409 });
  });

  test('is let in to a feed that is still empty, and judged when the first chunk is there', () => {
    const empty = new Feed();
    const resumption = { from: 7, epoch: 100 };
    const admission = admit(empty, ['a'], { stream: 's', rendition: 'r', as: 'b', resumption });
    expect(admission).toEqual({ kind: 'admitted', place: { next: 7, resumption } });
    expect(isContinued(empty, resumption)).toBe(true);
  });
});
