import { describe, expect, test } from 'vitest';
import { Chaser, rateFor } from '../../usher/player/playback/chaser.ts';

const options = { ebbMs: 100, maxEbbMs: 1000, windowMs: 500 };

describe('the rate', () => {
  test.each([
    [0, 1],
    [10, 1],
    [11, 1.03],
    [41, 1.06],
    [151, 1.12],
    [501, 1.25],
    [-15, 1],
    [-16, 0.98],
    [-41, 0.95],
  ])('for %i ms too much is %d', (excessMs, rate) => {
    expect(rateFor(excessMs)).toBe(rate);
  });
});

describe('a chaser', () => {
  test('goes by the lowest sight of its window, so that bytes may come in beats', () => {
    const chaser = new Chaser(options);
    expect(chaser.see(0, 100)).toBe(1);
    expect(chaser.see(50, 200)).toBe(1);
    expect(chaser.see(100, 260)).toBe(1);
    expect(chaser.see(499, 300)).toBe(1);
    expect(chaser.see(501, 300), 'the ebb of 100 ms is older than the window').toBe(1.06);
  });

  test('settles at the ebb it is given when bytes come every 33, 100 or 200 ms', () => {
    for (const beatMs of [33, 100, 200]) {
      const { ebbMs, latencyMs } = simulate(new Chaser({ ...options, windowMs: 1000 }), beatMs);
      expect(ebbMs, `beat of ${beatMs} ms`).toBeGreaterThan(55);
      expect(ebbMs, `beat of ${beatMs} ms`).toBeLessThan(145);
      expect(latencyMs).toBeLessThan(150 + beatMs);
    }
  });

  test('keeps more after an underflow, up to its bound', () => {
    const chaser = new Chaser(options);
    chaser.underflowed(0);
    expect(chaser.ebbMs).toBe(130);
    for (let count = 0; count < 20; count++) chaser.underflowed(count);
    expect(chaser.ebbMs).toBe(1000);
  });

  test('sinks back slowly after a calm, which is longer after each underflow', () => {
    const chaser = new Chaser(options);
    chaser.underflowed(0);
    see(chaser, 0, 29_000);
    expect(chaser.ebbMs).toBe(130);
    see(chaser, 29_000, 90_000);
    expect(chaser.ebbMs).toBeGreaterThan(103);
    expect(chaser.ebbMs).toBeLessThan(115);
    chaser.underflowed(90_000);
    const raisedMs = chaser.ebbMs;
    see(chaser, 90_000, 149_000);
    expect(chaser.ebbMs).toBe(raisedMs);
    see(chaser, 149_000, 400_000);
    expect(chaser.ebbMs).toBeLessThan(102);
  });

  test('steers for a new ebb when it is aimed, and keeps what underflows have added', () => {
    const chaser = new Chaser({ ...options, maxEbbMs: 3000 });
    chaser.underflowed(0);
    chaser.aim(1100);
    expect(chaser.ebbMs).toBe(1130);
  });

  test('forgets what it saw when the playhead jumps', () => {
    const chaser = new Chaser(options);
    expect(chaser.see(0, 20)).toBe(0.95);
    chaser.forget();
    expect(chaser.see(10, 700)).toBe(1.25);
  });

  test('holds a bounded number of sights however often it is asked', () => {
    const chaser = new Chaser({ ...options, windowMs: Number.MAX_SAFE_INTEGER });
    chaser.see(0, 0);
    for (let count = 0; count < 500; count++) chaser.see(1, 1000);
    expect(chaser.see(1, 1000), 'the first sight, 0 ms, has been dropped').toBe(1.25);
  });
});

function see(chaser: Chaser, fromMs: number, toMs: number): void {
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += 100) chaser.see(nowMs, 100);
}

/** Plays a live stream whose bytes come in beats for a minute; returns the ebb and the latency of its last seconds. */
function simulate(chaser: Chaser, beatMs: number): { ebbMs: number; latencyMs: number } {
  let playedMs = -1500;
  let endMs = 0;
  let rate = 1;
  let ebbMs = Number.POSITIVE_INFINITY;
  let latencyMs = 0;
  for (let nowMs = 0; nowMs < 60_000; nowMs++) {
    playedMs += rate;
    if (nowMs % beatMs === 0) {
      rate = chaser.see(nowMs, endMs - playedMs);
      if (nowMs > 55_000) ebbMs = Math.min(ebbMs, endMs - playedMs);
      endMs = nowMs;
    }
    if (nowMs % 50 === 0) rate = chaser.see(nowMs, endMs - playedMs);
    latencyMs = nowMs - playedMs;
  }
  return { ebbMs, latencyMs };
}
