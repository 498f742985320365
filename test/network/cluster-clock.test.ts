// Machines whose clocks are wrong, and what time it is to them all the same.

import { beforeEach, describe, expect, test } from 'vitest';
import { ClusterClock } from '../../network/cluster-clock.ts';
import { Metrics } from '../../network/metrics.ts';
import { signToken, verifyToken } from '../../network/token.ts';
import { keepingLogger } from '../tools/world/keeping-logger.ts';
import { ManualClock } from '../tools/world/manual-clock.ts';

const HOUR_MS = 3_600_000;
const SECRETS = ['a secret of the cluster'];
const STATE_MS = 1_800_000_000_000;

let own: ManualClock;
let metrics: Metrics;
let logger: ReturnType<typeof keepingLogger>;
let clock: ClusterClock;
beforeEach(() => {
  own = new ManualClock(5_000);
  own.set(STATE_MS);
  metrics = new Metrics();
  logger = keepingLogger();
  clock = new ClusterClock({ clock: own, logger, metrics });
});

/** The state answers at once that it is `stateMs`. */
function hear(stateMs: number): void {
  clock.hear(stateMs, own.monotonic(), own.monotonic());
}

describe('the clock of a cluster', () => {
  test('is that of the machine until the state has been heard', () => {
    expect(clock.now()).toBe(STATE_MS);
    own.set(STATE_MS + HOUR_MS);
    expect(clock.now()).toBe(STATE_MS + HOUR_MS);
  });

  test.each([HOUR_MS, -HOUR_MS])('goes on when the machine’s is set by %i ms, and so do tokens', (stepMs) => {
    hear(STATE_MS);
    const grant = { purpose: 'play', stream: 'alice', session: '' } as const;
    const token = signToken(SECRETS, { ...grant, expiresAtMs: STATE_MS + 60_000 });
    own.set(STATE_MS + stepMs);
    own.advance(59_000);
    expect(clock.now()).toBe(STATE_MS + 59_000);
    expect(verifyToken(SECRETS, token, { ...grant, nowMs: clock.now() }).kind).toBe('valid');
    own.advance(1_000);
    expect(verifyToken(SECRETS, token, { ...grant, nowMs: clock.now() }).kind).toBe('refused');
  });

  test('is the same for two machines whose own differ by a day', () => {
    own.set(STATE_MS + 24 * HOUR_MS);
    hear(STATE_MS);
    expect(clock.now()).toBe(STATE_MS);
  });

  test('is not moved by an answer that took long, and by no more than one that disagrees demands', () => {
    hear(STATE_MS);
    own.advance(10_000);
    clock.hear(STATE_MS + 2_000, own.monotonic() - 9_000, own.monotonic());
    expect(clock.now()).toBe(STATE_MS + 10_000);
    clock.hear(STATE_MS + 10_050, own.monotonic() - 20, own.monotonic());
    expect(clock.now()).toBe(STATE_MS + 10_050);
    clock.hear(STATE_MS + 9_000, own.monotonic() - 20, own.monotonic());
    expect(clock.now()).toBe(STATE_MS + 9_021);
  });

  test('is whole milliseconds, as times are written', () => {
    clock.hear(STATE_MS, own.monotonic() - 4.3, own.monotonic() + 0.2);
    expect(Number.isInteger(clock.now())).toBe(true);
  });
});

test('that the machine’s own clock is off is told once, measured, and a condition that turns no work away, until it is right again', async () => {
  hear(STATE_MS);
  expect(clock.condition).toBeUndefined();
  own.set(STATE_MS + HOUR_MS);
  for (const _ of [1, 2, 3]) hear(STATE_MS);
  expect(clock.condition).toEqual({
    code: 'clock_off',
    detail: 'the clock of this machine is 3600 s ahead of the cluster’s',
    blocks: false,
  });
  expect(await metrics.total(['headwater_clock_offset_seconds'])).toBe(3_600);
  own.set(STATE_MS - 1_500);
  hear(STATE_MS);
  expect(clock.condition?.detail).toContain('1.5 s behind');
  own.set(STATE_MS + 200);
  hear(STATE_MS);
  expect(clock.condition).toBeUndefined();
  expect(logger.lines).toMatchObject([
    { level: 'warn', fields: { offMs: HOUR_MS } },
    { level: 'info', fields: { offMs: 200 } },
  ]);
});
