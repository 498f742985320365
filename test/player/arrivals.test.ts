import { describe, expect, test } from 'vitest';
import { Arrivals, presentationTimeS } from '../../usher/player/meter/arrivals.ts';
import { SyntheticBroadcast } from '../tools/viewers/progressive-feed.ts';

describe('arrivals', () => {
  test('are found by the media time of the frame shown, in whatever order frames were decoded', () => {
    const arrivals = new Arrivals();
    for (const [timeS, arrivedAtMs] of [
      [10, 1000],
      [10.1, 1033],
      [10.033, 1066],
      [10.066, 1100],
    ] as const)
      arrivals.add(timeS, arrivedAtMs);
    expect(arrivals.at(10.0334)).toBe(1066);
    expect(arrivals.at(10.066)).toBe(1100);
    expect(arrivals.at(10.1)).toBe(1033);
    expect(arrivals.at(9.99)).toBe(1000);
  });

  test('say nothing of a frame that is far from all of them', () => {
    const arrivals = new Arrivals();
    expect(arrivals.at(0)).toBeUndefined();
    arrivals.add(10, 1000);
    expect(arrivals.at(10.6)).toBeUndefined();
    expect(arrivals.at(9.4)).toBeUndefined();
  });

  test('are bounded: the oldest goes', () => {
    const arrivals = new Arrivals();
    for (let frame = 0; frame < 5000; frame++) arrivals.add(frame, frame * 10);
    expect(arrivals.at(4999)).toBe(49_990);
    expect(arrivals.at(4000)).toBe(40_000);
    expect(arrivals.at(3900)).toBeUndefined();
  });

  test('use the presentation time: decode time plus composition offset, which may be negative', () => {
    const broadcast = new SyntheticBroadcast();
    broadcast.push(2);
    const chunk = broadcast.chunks[1]!;
    expect(presentationTimeS(chunk, 90_000)).toBeCloseTo(0.04);
    const bytes = Buffer.from(chunk.bytes);
    const compositionOffsetAt = bytes.indexOf('trun') + 4 + 24;
    bytes.writeInt32BE(-1800, compositionOffsetAt);
    expect(presentationTimeS({ ...chunk, bytes }, 90_000)).toBeCloseTo(0.02);
  });
});
