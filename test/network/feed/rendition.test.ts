import { describe, expect, test } from 'vitest';
import { describeRendition } from '../../../network/feed/rendition.ts';
import { Broadcaster } from '../../tools/media/feed.ts';

describe('the bit rate of a rendition', () => {
  test('before its first segment has closed is no multiple of what it will be', () => {
    const broadcaster = new Broadcaster({ frameBytes: 20_000 });
    const averages: number[] = [];
    for (let frame = 0; frame < 5; frame++) {
      broadcaster.frame();
      averages.push(describeRendition('source', broadcaster.feed)!.averageBps);
    }
    broadcaster.play(4);
    const { averageBps } = describeRendition('source', broadcaster.feed)!;
    for (const early of averages) expect(early).toBeLessThan(averageBps);
  });

  test('is that of its whole segments', () => {
    const broadcaster = new Broadcaster({ frameBytes: 1_000, hasAudio: false });
    broadcaster.play(4.5);
    const { averageBps, peakBps, frameRate } = describeRendition('source', broadcaster.feed)!;
    const chunkBytes = broadcaster.feed.at(broadcaster.next - 1)!.bytes.length;
    expect(averageBps).toBe(chunkBytes * 8 * 30);
    expect(peakBps).toBe(averageBps);
    expect(frameRate).toBe(30);
  });
});

describe('the frame rate of a rendition', () => {
  const rateOf = (millis: readonly number[]): number => {
    const frameTicks = (frame: number): number => millis[frame % millis.length]! * 90;
    const broadcaster = new Broadcaster({ hasAudio: false, frameTicks });
    broadcaster.play(5);
    return describeRendition('source', broadcaster.feed)!.frameRate;
  };

  test('is that of its frames by times in whole milliseconds', () => {
    expect(rateOf([33, 33, 34])).toBe(30);
    expect(rateOf([16, 17, 17])).toBe(60);
  });

  test('is its greatest where frames are left out, but for a single one', () => {
    expect(rateOf([33, 34, 66, 67, 33])).toBeCloseTo(30, 0);
    expect(rateOf([...Array.from({ length: 40 }, () => 40), 2, 78])).toBeCloseTo(25, 0);
  });
});
