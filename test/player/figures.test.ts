import { describe, expect, test } from 'vitest';
import { Percentiles } from '../../usher/player/meter/percentiles.ts';
import { ServerClock } from '../../usher/player/meter/server-clock.ts';
import { Bitrate } from '../../usher/player/playback/bitrate.ts';
import { ManualClock } from '../tools/world/manual-clock.ts';

describe('percentiles', () => {
  test('are of the figures in the window, or in a shorter one', () => {
    const figures = new Percentiles(30_000);
    expect(figures.at(0.5, 0)).toBeUndefined();
    for (let count = 0; count < 100; count++) figures.add(count * 100, count);
    expect(figures.at(0.5, 9900)).toBe(50);
    expect(figures.at(0.95, 9900)).toBe(95);
    expect(figures.at(1, 9900)).toBe(99);
    expect(figures.at(0.5, 9900, 1000)).toBe(94);
    expect(figures.at(0, 39_000)).toBe(90);
    expect(figures.at(0.5, 60_000)).toBeUndefined();
  });

  test('are of a bounded number of figures', () => {
    const figures = new Percentiles(30_000);
    for (let count = 0; count < 10_000; count++) figures.add(0, count);
    expect(figures.at(0, 0)).toBe(10_000 - 2048);
  });
});

describe('the bitrate', () => {
  test('is that of the last seconds', () => {
    const clock = new ManualClock();
    const bitrate = new Bitrate(clock);
    expect(bitrate.kbps).toBeUndefined();
    for (let count = 0; count < 100; count++) {
      bitrate.add(12_500);
      clock.advance(100);
    }
    expect(bitrate.kbps).toBe(1000);
    for (let count = 0; count < 100; count++) {
      bitrate.add(25_000);
      clock.advance(100);
    }
    expect(bitrate.kbps).toBe(2000);
  });
});

describe('the clock of the servers', () => {
  test('is read off the quickest round trip, whatever the viewer’s clock says', () => {
    const server = new ServerClock();
    expect(server.at(0)).toBeUndefined();
    server.add(1000, 1400, 50_390);
    server.add(2000, 2010, 51_005);
    server.add(3000, 3300, 52_290);
    expect(server.at(4000)).toBe(53_000);
  });

  test('follows when old answers have been replaced', () => {
    const server = new ServerClock();
    server.add(0, 1, 100);
    for (let count = 0; count < 8; count++) server.add(1000, 1010, 6005);
    expect(server.at(2000)).toBe(7000);
  });
});
