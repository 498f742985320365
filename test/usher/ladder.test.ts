// The ladder: which rungs a source gets, and with what size, rate and bitrate.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RenditionRecord } from '../../network/state/state.ts';
import { ladderOf } from '../../usher/plan/ladder.ts';

const FULL_HD: RenditionRecord = {
  name: 'source',
  codecs: 'avc1.64002a,mp4a.40.2',
  width: 1920,
  height: 1080,
  frameRate: 60,
  peakBps: 8_000_000,
  averageBps: 6_500_000,
};
const WISHES = ['1080p60', '720p60', '480p30', '160p30', 'audio'].map((name) => ({ name }));

const textOf = (source: RenditionRecord, wishes = WISHES): string[] =>
  ladderOf(source, wishes).map(
    ({ name, codec, width, height, maxFrameRate, videoKbps }) =>
      `${name} ${codec} ${width}x${height}@${maxFrameRate} ${videoKbps}k`,
  );

describe('the ladder', () => {
  test('of a source at 1080p60 leaves out what the source is', () => {
    expect(textOf(FULL_HD)).toMatchInlineSnapshot(`
      [
        "720p60 h264 1280x720@60 4000k",
        "480p30 h264 854x480@30 1110k",
        "160p30 h264 284x160@30 170k",
        "audio none 0x0@0 0k",
      ]
    `);
  });

  test('of a source at 480p30 has nothing larger or faster', () => {
    const source = { ...FULL_HD, width: 854, height: 480, frameRate: 29.97, averageBps: 900_000 };
    expect(textOf(source)).toMatchInlineSnapshot(`
      [
        "160p30 h264 284x160@30 170k",
        "audio none 0x0@0 0k",
      ]
    `);
  });

  test('of an upright picture has its lines on the shorter side', () => {
    const source = { ...FULL_HD, width: 1080, height: 1920, frameRate: 30 };
    expect(textOf(source, [{ name: '720p60' }])).toMatchInlineSnapshot(`
      [
        "720p30 h264 720x1280@30 2220k",
      ]
    `);
  });

  test('of a source with open GOPs begins with one of the same size', () => {
    expect(textOf({ ...FULL_HD, opensGops: true }, [{ name: '480p30' }])[0]).toMatch(
      /^1080p60 h264 1920x1080@60/,
    );
  });

  test.each(['hvc1.1.6.L93.B0,mp4a.40.2', 'av01.0.08M.08,opus', 'avc1.64002a,mp4a.6b'])(
    'of %s begins with H.264 of the same size',
    (codecs) => {
      expect(textOf({ ...FULL_HD, codecs }, [{ name: '480p30' }])[0]).toMatch(/^1080p60 h264 1920x1080@60/);
    },
  );

  test('of sound alone, and without wishes, is empty', () => {
    expect(textOf({ ...FULL_HD, width: 0, height: 0, frameRate: 0 })).toEqual([]);
    expect(textOf({ ...FULL_HD, codecs: 'hvc1.1.6.L93.B0,mp4a.40.2' }, [])).toEqual([]);
  });

  test('has no rung above its source, whatever the source', () => {
    const source = fc.record({
      width: fc.integer({ min: 16, max: 4096 }),
      height: fc.integer({ min: 16, max: 4096 }),
      frameRate: fc.double({ min: 1, max: 120, noNaN: true }),
      averageBps: fc.integer({ min: 500_000, max: 20_000_000 }),
    });
    fc.assert(
      fc.property(source, (some) => {
        const rungs = ladderOf({ ...FULL_HD, ...some }, WISHES);
        expect(new Set(rungs.map(({ name }) => name)).size).toBe(rungs.length);
        for (const { width, height, maxFrameRate, videoKbps } of rungs) {
          expect(width).toBeLessThanOrEqual(some.width + 1);
          expect(height).toBeLessThanOrEqual(some.height + 1);
          expect(maxFrameRate).toBeLessThan(some.frameRate + 1);
          expect(videoKbps * 1000).toBeLessThan(some.averageBps);
          expect((width % 2) + (height % 2)).toBe(0);
        }
      }),
    );
  });
});
