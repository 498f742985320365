import { describe, expect, test } from 'vitest';
import { type Segment, Segments } from '../../../edge/hls/segments.ts';
import type { FeedReader } from '../../../network/feed/feed.ts';
import { Broadcaster } from '../../tools/media/feed.ts';

function watch(feed: FeedReader): Segments {
  const segments = new Segments({
    initOf: (epoch) => feed.initOf(epoch),
    hashOf: (init) => `init of ${init.lead.width}`,
  });
  for (let sequence = feed.first; sequence < feed.next; sequence++) segments.push(feed.at(sequence)!);
  feed.subscribe((chunk) => {
    if (chunk) segments.push(chunk);
    else segments.end(feed.next);
    segments.evict(feed.first);
  });
  return segments;
}

const durationUs = ({ startUs, endUs }: { startUs: number; endUs: number }): number => endUs - startUs;
const sumUs = (spans: readonly { startUs: number; endUs: number }[]): number =>
  spans.reduce((sum, span) => sum + durationUs(span), 0);

function expectWhole(segment: Segment): void {
  expect(sumUs(segment.parts)).toBe(durationUs(segment));
  expect(segment.parts[0]!.from).toBe(segment.from);
  expect(segment.parts.at(-1)!.to).toBe(segment.to);
  for (const [index, part] of segment.parts.slice(1).entries()) {
    expect(part.from).toBe(segment.parts[index]!.to);
    expect(part.startUs).toBe(segment.parts[index]!.endUs);
  }
}

describe('segments', () => {
  test('a part is whole when the next one begins, a segment when the next one begins', () => {
    const broadcaster = new Broadcaster({ hasAudio: false });
    const segments = watch(broadcaster.feed);
    expect(segments.front).toBeUndefined();
    broadcaster.frame();
    expect(segments.front).toEqual({ msn: 0, part: 0 });
    for (let frame = 0; frame < 5; frame++) broadcaster.frame();
    expect(segments.open!.parts).toHaveLength(0);
    broadcaster.frame();
    expect(segments.front).toEqual({ msn: 0, part: 1 });
    expect(segments.open!.parts).toEqual([{ from: 1, to: 7, startUs: 0, endUs: 200_000 }]);
    broadcaster.play(24 / 30);
    expect(segments.closed.map(({ msn }) => msn)).toEqual([0]);
    expect(segments.front).toEqual({ msn: 1, part: 0 });
  });

  test.each([23.976, 24, 25, 29.97, 30, 50, 59.94])(
    'at %d Hz parts sum to their segments and segments to the timeline, to the microsecond',
    (fps) => {
      const { feed } = new Broadcaster({ fps, gopS: 2 }).play(21);
      const { closed, targetDurationS } = watch(feed);
      expect(targetDurationS).toBe(2);
      expect(closed.length).toBe(10);
      for (const segment of closed) expectWhole(segment);
      expect(sumUs(closed)).toBe(closed.at(-1)!.endUs - closed[0]!.startUs);
      for (const part of closed.flatMap(({ parts }) => parts)) expect(durationUs(part)).toBeLessThan(235_000);
    },
  );

  test('an epoch begins behind the last frame of the one before, whatever time has passed', () => {
    const broadcaster = new Broadcaster({ fps: 25 }).play(1.6).silence(60).restart({ width: 480 }).play(1.2);
    const { closed, open } = watch(broadcaster.feed);
    expect(closed.map(durationUs)).toEqual([1_000_000, 600_000, 1_000_000]);
    expect(closed.map(({ initHash }) => initHash)).toEqual(['init of 640', 'init of 640', 'init of 480']);
    expect(closed.map(({ startsEpoch }) => startsEpoch)).toEqual([true, false, true]);
    expect(closed.map(({ discontinuitySequence }) => discontinuitySequence)).toEqual([0, 0, 1]);
    expect(closed[2]!.arrivedAtMs - closed[1]!.arrivedAtMs).toBe(60_600);
    expect(open!.initHash).toBe('init of 480');
    closed.forEach(expectWhole);
  });

  test('the end makes the last part and segment whole, up to the end of the last frame of the lead track', () => {
    const broadcaster = new Broadcaster({ fps: 25 });
    const segments = watch(broadcaster.feed);
    broadcaster.play(2.28).end();
    expect(segments.hasEnded).toBe(true);
    expect(segments.open).toBeUndefined();
    expect(segments.front).toBeUndefined();
    expect(segments.closed.map(durationUs)).toEqual([1_000_000, 1_000_000, 280_000]);
    expect(segments.closed.at(-1)!.to).toBe(broadcaster.next);
  });

  test('audio leads where there is no video: its frames open segments, all of them independent', () => {
    const { feed } = new Broadcaster({ fps: 0 }).play(9);
    const { closed, targetDurationS } = watch(feed);
    expect(closed).toHaveLength(4);
    expect(targetDurationS).toBe(2);
    expect(closed.every(({ isIndependent }) => isIndependent)).toBe(true);
    closed.forEach(expectWhole);
  });

  test('a segment that was cut inside a GOP is not independent', () => {
    const { closed } = watch(new Broadcaster({ gopS: 6, cutS: 2 }).play(9).feed);
    expect(closed.map(({ isIndependent }) => isIndependent)).toEqual([true, false, false, true]);
  });

  test('who comes late sees what those see who were there from the start', () => {
    const broadcaster = new Broadcaster({ fps: 29.97, gopS: 2 });
    const early = watch(broadcaster.feed);
    broadcaster.play(50).restart({ width: 320 }).play(11.3);
    const late = watch(broadcaster.feed);
    expect(late.closed).toEqual(early.closed);
    expect(late.open).toEqual(early.open);
    expect(late.front).toEqual(early.front);
    expect(early.closed[0]!.from).toBe(broadcaster.feed.first);
  });

  test('what comes before the first start of a segment is passed over', () => {
    const { feed } = new Broadcaster().play(2.5);
    const segments = new Segments({ initOf: (epoch) => feed.initOf(epoch), hashOf: () => '' });
    const from = feed.segments[0]!.sequence + 20;
    for (let sequence = from; sequence < feed.next; sequence++) segments.push(feed.at(sequence)!);
    expect(segments.closed.map(({ msn }) => msn)).toEqual([1]);
    expect(segments.find(0)).toBeUndefined();
    expect(segments.find(1)).toBe(segments.closed[0]);
    expect(segments.find(2)).toBe(segments.open);
    expect(segments.find(3)).toBeUndefined();
  });
});
