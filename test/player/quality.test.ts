import { describe, expect, test } from 'vitest';
import type { Playback } from '../../usher/player/playback/playback.ts';
import { Quality } from '../../usher/player/quality.ts';
import type { PlayerState } from '../../usher/player/status.ts';
import { ManualClock } from '../tools/world/manual-clock.ts';

function open(playback: Partial<Playback> | undefined) {
  const clock = new ManualClock();
  const posted: [string, unknown][] = [];
  const now = {
    state: 'playing' as PlayerState,
    stalledMs: 0,
    firstFrameAtMs: undefined as number | undefined,
  };
  const quality = new Quality({
    origin: 'https://usher.example',
    stream: 'alice',
    clock,
    state: () => now.state,
    playback: () => playback as Playback | undefined,
    stalledMs: () => now.stalledMs,
    firstFrameAtMs: () => now.firstFrameAtMs,
    post: (url, value) => posted.push([url, value]),
  });
  return { clock, posted, now, quality };
}

const at = (token: string) => ({ mediaUrl: `https://ams-1.example/play/${token}/alice/source/1/2.m4s` });
const TOKEN = `abc.sessionsess_ix.${'x'.repeat(22)}`;

describe('the page’s player', () => {
  test('says every half minute for how long it played and stood still, and how long the way is', () => {
    const { clock, posted, now, quality } = open({ ...at(TOKEN), roundTripMs: 23.4 });
    clock.advance(10_000);
    now.state = 'stalled';
    now.stalledMs = 2_000;
    clock.advance(2_000);
    now.state = 'playing';
    clock.advance(18_000);
    clock.advance(30_000);
    const url = `https://usher.example/api/quality?stream=alice&token=${TOKEN}`;
    expect(posted).toEqual([
      [url, { playedMs: 28_000, stalledMs: 2_000, rttMs: 23 }],
      [url, { playedMs: 30_000, stalledMs: 0, rttMs: 23 }],
    ]);
    quality.close();
    expect(clock.pending).toBe(0);
  });

  test('says once how long its first frame took', () => {
    const { clock, posted, now } = open(at(TOKEN));
    now.firstFrameAtMs = clock.monotonic() + 420.4;
    clock.advance(60_000);
    expect(posted.map(([, figures]) => figures)).toEqual([
      { playedMs: 30_000, stalledMs: 0, startupMs: 420 },
      { playedMs: 30_000, stalledMs: 0 },
    ]);
  });

  test.each([
    ['it plays by a CDN, whose address is everybody’s', at(`abc..${'x'.repeat(22)}`)],
    ['nothing has come yet', {}],
    ['there is no playback', undefined],
  ])('says nothing while %s', (_, playback) => {
    const { clock, posted } = open(playback);
    clock.advance(120_000);
    expect(posted).toEqual([]);
  });

  test('says nothing of the time in which it was paused', () => {
    const { clock, posted, now } = open(at(TOKEN));
    now.state = 'paused';
    clock.advance(60_000);
    expect(posted).toEqual([]);
  });
});
