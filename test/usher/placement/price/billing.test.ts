import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Billing, Transit } from '../../../../network/map/topology.ts';
import type { UplinkAccount } from '../../../../network/state/lease.ts';
import {
  addTraffic,
  billedMbps,
  billMicroUsd,
  INTERVAL_MS,
  microUsdPerHour,
  tariffOf,
} from '../../../../usher/placement/price/billing.ts';

const JUNE_MS = Date.UTC(2026, 5, 1);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** 30 days of 288 intervals, of which 432 are not billed. */
const UNBILLED = 432;

const P95 = { kind: 'percentile', percentile: 95, microUsdPerMbpsMonth: 300_000, commitMbps: 0 } as const;

/** `mbps[n]` in the interval n of June. */
function carried(mbps: readonly number[], billing: Billing = P95): UplinkAccount {
  return mbps.reduce<UplinkAccount | undefined>(
    (account, each, at) =>
      addTraffic(
        account,
        { fromMs: JUNE_MS + at * INTERVAL_MS, toMs: JUNE_MS + (at + 1) * INTERVAL_MS, mbps: each },
        billing,
      ),
    undefined,
  )!;
}

function transit(billing: Billing): Transit {
  return { kind: 'transit', name: 't', capacityMbps: 1e6, billing };
}

function tariff(account: UplinkAccount | undefined, nowMs: number, billing: Billing = P95) {
  return tariffOf(transit(billing), account, nowMs);
}

describe('an account', () => {
  test('knows the mean of each interval, however it was counted', () => {
    let account = addTraffic(undefined, { fromMs: JUNE_MS, toMs: JUNE_MS + 60_000, mbps: 100 }, P95);
    account = addTraffic(
      account,
      { fromMs: JUNE_MS + 60_000, toMs: JUNE_MS + INTERVAL_MS + 1_000, mbps: 50 },
      P95,
    );
    expect(account).toMatchObject({ intervals: 1, top: [60], intervalMbitSum: 50, monthStartMs: JUNE_MS });
    expect(account.gigabytes).toBeCloseTo((60 * 100 + 241 * 50) / 8000, 9);
  });

  test('begins anew with the month', () => {
    const endMs = Date.UTC(2026, 6, 1);
    const before = addTraffic(undefined, { fromMs: endMs - HOUR_MS, toMs: endMs, mbps: 10 }, P95);
    const after = addTraffic(before, { fromMs: endMs, toMs: endMs + 2 * INTERVAL_MS, mbps: 20 }, P95);
    expect(after).toMatchObject({ monthStartMs: endMs, intervals: 1, top: [20] });
    expect(after.gigabytes).toBeCloseTo(1.5, 9);
  });

  test('keeps no more intervals than a month leaves unbilled, and one', () => {
    expect(carried(Array.from({ length: 2_000 }, (_, at) => at)).top).toHaveLength(UNBILLED + 1);
  });

  test('is billed as if all intervals had been sorted, at any time of the month', () => {
    const loads = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(
        loads,
        fc.constantFrom(90 as const, 95 as const),
        fc.nat(500),
        (mbps, percentile, commitMbps) => {
          const billing = { ...P95, percentile, commitMbps };
          const account = carried([...mbps, 0], billing);
          const sorted = mbps.toSorted((one, other) => other - one);
          const level = Math.max(commitMbps, sorted[Math.floor((mbps.length * (100 - percentile)) / 100)]!);
          expect(billedMbps(account, billing)).toBe(level);
          expect(billMicroUsd(account, billing)).toBe(level * 300_000);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('by volume costs what was sent', () => {
    const billing = { kind: 'volume', microUsdPerGb: 2_000 } as const;
    expect(billMicroUsd(carried([1_000, 1_000], billing), billing)).toBeCloseTo(75 * 2_000, 6);
    expect(carried([1_000, 1_000], billing).top).toEqual([]);
  });
});

describe('one Mbps more', () => {
  const noonMs = JUNE_MS + 3 * DAY_MS + 12 * HOUR_MS;
  /** Three days, of which each has two hours of 500 Mbps and 22 of 200. */
  const days = carried(Array.from({ length: 3 * 288 + 1 }, (_, at) => (at % 288 < 24 ? 500 : 200)));

  test('costs nothing below the level that the month is billed at already', () => {
    expect(billedMbps(days, P95)).toBe(500);
    expect(microUsdPerHour(tariff(days, noonMs), 496, 4)).toBe(0);
  });

  test('costs nothing below the commit', () => {
    const billing = { ...P95, commitMbps: 800 };
    expect(microUsdPerHour(tariff(undefined, noonMs, billing), 790, 4)).toBe(0);
    expect(microUsdPerHour(tariff(undefined, noonMs, billing), 798, 4)).toBeGreaterThan(0);
  });

  test('that raises the level costs the month’s price, over the hours that the higher level is of use', () => {
    const hours = (27 * 24 - 12) / 4;
    expect(microUsdPerHour(tariff(days, noonMs), 500, 4)).toBeCloseTo((4 * 300_000) / hours, 6);
    expect(microUsdPerHour(tariff(days, noonMs), 498, 4)).toBeCloseTo((2 * 300_000) / hours, 6);
    const lastMs = Date.UTC(2026, 6, 1) - 1_000;
    expect(microUsdPerHour(tariff(days, lastMs), 500, 1)).toBe(300_000);
  });

  test('costs nothing in an interval that is above the level anyway, while some are left that are not billed', () => {
    expect(microUsdPerHour(tariff(days, noonMs), 501, 100)).toBe(0);
    const peaks = 0.8 * UNBILLED;
    const used = carried(Array.from({ length: 8_000 }, (_, at) => (at < peaks + 1 ? 900 + at : 100)));
    expect(microUsdPerHour(tariff(used, JUNE_MS + 28 * DAY_MS), 2_000, 1)).toBeGreaterThan(0);
    const fewer = carried(Array.from({ length: 8_000 }, (_, at) => (at < peaks - 1 ? 900 + at : 100)));
    expect(microUsdPerHour(tariff(fewer, JUNE_MS + 28 * DAY_MS), 2_000, 1)).toBe(0);
  });

  test('is never given away on the first day: nobody knows yet which intervals are the peaks', () => {
    const morning = carried([10, 10, 10, 10]);
    expect(microUsdPerHour(tariff(morning, JUNE_MS + 20 * 60_000), 100, 1)).toBeGreaterThan(0);
  });

  test('is priced without what last month was billed at', () => {
    const nextMs = Date.UTC(2026, 6, 1) + HOUR_MS;
    expect(tariff(days, nextMs)).toMatchObject({ freeMbps: 0, isBurstFree: false });
  });

  test('costs its volume where that is what is billed', () => {
    const billing = { kind: 'volume', microUsdPerGb: 2_000 } as const;
    expect(microUsdPerHour(tariff(undefined, noonMs, billing), 10_000, 4)).toBeCloseTo(1.8 * 2_000, 9);
  });
});
