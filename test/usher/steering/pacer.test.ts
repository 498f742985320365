import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Pacer } from '../../../usher/steering/pacer.ts';

test('whatever comes when, no more goes than the pace allows, and one to begin with', () => {
  const coming = fc.array(
    fc.record({ afterMs: fc.nat(3_000), mbps: fc.double({ min: 0.1, max: 20, noNaN: true }) }),
    {
      minLength: 1,
    },
  );
  fc.assert(
    fc.property(coming, fc.double({ min: 0.1, max: 100, noNaN: true }), (viewers, mbpsPerS) => {
      const pacer = new Pacer();
      let [nowMs, gone] = [0, 0];
      for (const [at, { afterMs, mbps }] of viewers.entries()) {
        nowMs += at === 0 ? 0 : afterMs;
        if (pacer.mayGo('key', mbps, mbpsPerS, nowMs)) gone += mbps;
        else expect(at).toBeGreaterThan(0);
      }
      const first = viewers[0]!.mbps;
      expect(gone).toBeLessThanOrEqual(first + (mbpsPerS * nowMs) / 1_000 + 1e-6);
    }),
  );
});

test('what is steadily asked for goes at the pace', () => {
  const pacer = new Pacer();
  let gone = 0;
  for (let nowMs = 0; nowMs < 10_000; nowMs += 10) if (pacer.mayGo('key', 4, 40, nowMs)) gone += 4;
  expect(gone).toBeCloseTo(400, -1);
});

test('keys do not wait for one another, and without a pace nobody goes', () => {
  const pacer = new Pacer();
  expect(['a', 'b'].map((key) => pacer.mayGo(key, 4, 1, 0))).toEqual([true, true]);
  expect(['a', 'b'].map((key) => pacer.mayGo(key, 4, 1, 0))).toEqual([false, false]);
  for (const pace of [0, -1, Number.NaN]) expect(pacer.mayGo('c', 4, pace, 0)).toBe(false);
});
