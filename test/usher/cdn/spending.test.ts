import { describe, expect, test } from 'vitest';
import type { Cdn } from '../../../network/map/topology.ts';
import { cdnUrl, sharedExpiryMs } from '../../../usher/cdn/cdn.ts';
import { Spending } from '../../../usher/cdn/spending.ts';
import { NOW_MS } from '../../tools/cluster/clusters.ts';

const cdn: Cdn = {
  name: 'overflow',
  urlTemplate: 'https://{shield}.cdn.example/{shield}{path}',
  microUsdPerGb: 8_000,
  capMicroUsdPerMonth: 1,
  shields: 1,
};

describe('what viewers of a CDN cost', () => {
  test('is bitrate by time by price: 4 Mbps for 10 s are 0.005 GB, or 40 micro-dollars', () => {
    const spending = new Spending();
    spending.watch('v', cdn, 4, 10, 0);
    expect(spending.take(0)).toEqual({ overflow: 40 });
    expect(spending.take(0)).toEqual({});
  });

  test('is paid once for the same time, however often a player asks', () => {
    const spending = new Spending();
    for (let nowMs = 0; nowMs <= 10_000; nowMs += 500) spending.watch('v', cdn, 4, 10, nowMs);
    expect(spending.take(0)).toEqual({ overflow: 80 });
  });

  test('is not paid for the time that a player did not ask', () => {
    const spending = new Spending();
    for (const nowMs of [0, 60_000]) spending.watch('v', cdn, 4, 10, nowMs);
    expect(spending.take(0)).toEqual({ overflow: 80 });
  });

  test('of one whose player never asks is that of a usual stay, from when it shows that it does not', () => {
    const spending = new Spending();
    spending.send('silent', cdn, 4, 0);
    spending.send('asks', cdn, 4, 0);
    spending.hear('asks');
    expect(spending.take(59_999)).toEqual({});
    expect(spending.take(60_000)).toEqual({ overflow: 2_400 });
    expect(spending.take(900_000)).toEqual({});
  });

  test('of somebody at one address who only asks for playlists is that of a thousand viewers, and of others all of it', () => {
    const spending = new Spending();
    for (let at = 0; at < 5_000; at++) spending.send(`a${at}`, cdn, 4, 0, '203.0.113.7');
    for (let at = 0; at < 10; at++) spending.send(`b${at}`, cdn, 4, 0, `198.51.100.${at}`);
    expect(spending.take(60_000)).toEqual({ overflow: 1_010 * 2_400 });
    spending.send('later', cdn, 4, 700_000, '203.0.113.7');
    expect(spending.take(760_000)).toEqual({ overflow: 2_400 });
  });

  test('loses no fraction', () => {
    const spending = new Spending();
    spending.watch('v', cdn, 0.15, 1, 0);
    expect(spending.take(0)).toEqual({});
    spending.watch('w', cdn, 0.15, 10, 0);
    expect(spending.take(0)).toEqual({ overflow: 1 });
  });
});

describe('what a CDN is asked for', () => {
  test('names the shield wherever the template does', () => {
    expect(cdnUrl(cdn, 'ams-1', '/play/t/alice/source/index.m3u8')).toBe(
      'https://ams-1.cdn.example/ams-1/play/t/alice/source/index.m3u8',
    );
  });

  test('has a token that is the same all day and valid for a day at least', () => {
    const dayMs = 86_400_000;
    const midnightMs = Math.ceil(NOW_MS / dayMs) * dayMs;
    expect(sharedExpiryMs(midnightMs)).toBe(sharedExpiryMs(midnightMs + dayMs - 1));
    expect(sharedExpiryMs(midnightMs + dayMs - 1) - (midnightMs + dayMs - 1)).toBeGreaterThan(dayMs);
    expect(sharedExpiryMs(midnightMs)).not.toBe(sharedExpiryMs(midnightMs - 1));
  });
});
