import { describe, expect, test } from 'vitest';
import { Stalls } from '../../usher/player/meter/stalls.ts';

/** Shows frames at these times, one by one. */
function show(stalls: Stalls, times: readonly number[], firstPresented = 1): void {
  times.forEach((displayedAtMs, index) => {
    stalls.frame({
      displayedAtMs,
      mediaTimeS: displayedAtMs / 1000,
      presentedFrames: firstPresented + index,
    });
  });
}

describe('stalls', () => {
  test('are not counted before the first frame: that is loading', () => {
    const stalls = new Stalls();
    stalls.waiting(0);
    stalls.playing(900);
    expect([stalls.count, stalls.totalMs(1000)]).toEqual([0, 0]);
  });

  test('last from waiting to playing, and one that goes on is counted too', () => {
    const stalls = new Stalls();
    show(stalls, [0, 33, 66]);
    stalls.waiting(100);
    expect([stalls.count, stalls.totalMs(350), stalls.isWaiting]).toEqual([1, 250, true]);
    stalls.playing(600);
    expect([stalls.count, stalls.totalMs(9000), stalls.isWaiting]).toEqual([1, 500, false]);
  });

  test('are seen in the frames when the clock runs on without a picture', () => {
    const stalls = new Stalls();
    show(stalls, [0, 33, 66, 100, 733, 766]);
    expect(stalls.count).toBe(1);
    expect(stalls.totalMs(800)).toBeCloseTo(600, -1);
  });

  test('are not counted when frames were shown and only reported late', () => {
    const stalls = new Stalls();
    show(stalls, [0, 33, 66]);
    stalls.frame({ displayedAtMs: 900, mediaTimeS: 0.9, presentedFrames: 27 });
    expect(stalls.count).toBe(0);
  });

  test('are not counted for a source of one frame a second', () => {
    const stalls = new Stalls();
    show(stalls, [0, 1000, 2000, 3000]);
    expect(stalls.count).toBe(0);
  });

  test('are not counted twice when the player has waited in the gap', () => {
    const stalls = new Stalls();
    show(stalls, [0, 33, 66]);
    stalls.waiting(100);
    stalls.playing(900);
    show(stalls, [930], 4);
    expect(stalls.count).toBe(1);
  });

  test('are not counted across an interruption', () => {
    const stalls = new Stalls();
    show(stalls, [0, 33, 66]);
    stalls.interrupted(100);
    show(stalls, [5000, 5033], 4);
    expect(stalls.count).toBe(0);
  });
});
