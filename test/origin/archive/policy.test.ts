import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../network/config/config.ts';
import { createPace } from '../../../origin/archive/keeping/pace.ts';
import { createPolicy } from '../../../origin/archive/policy.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

describe('what is recorded', () => {
  const { archive } = readConfig({}, {});

  test('is every stream but the sample, for a week, unless something else is said', () => {
    const policy = createPolicy(archive);
    expect(policy('alice')).toEqual({
      isRecorded: true,
      maxMs: Number.POSITIVE_INFINITY,
      keepDays: 7,
      renditions: 'source',
    });
    expect(policy('sample').isRecorded).toBe(false);
  });

  test('is by the first rule that fits a name and says something', () => {
    const policy = createPolicy({
      ...archive,
      perStream: [
        { stream: 'alice', keepDays: null },
        { stream: 'a*', record: false, keepDays: 1 },
        { stream: 'sample', record: true },
        { stream: '*', maxHours: 2 },
      ],
    });
    expect(policy('alice')).toEqual({
      isRecorded: false,
      maxMs: 7_200_000,
      keepDays: null,
      renditions: 'source',
    });
    expect(policy('anna')).toEqual({
      isRecorded: false,
      maxMs: 7_200_000,
      keepDays: 1,
      renditions: 'source',
    });
    expect(policy('sample').isRecorded).toBe(true);
    expect(policy('bob')).toEqual({ isRecorded: true, maxMs: 7_200_000, keepDays: 7, renditions: 'source' });
  });
});

describe('uploads', () => {
  test('take what they may with nobody watching, less the more do, and always something', async () => {
    const clock = new ManualClock();
    let load = 0;
    const pace = createPace({ clock, limitMbps: 8, load: () => load });
    /** When the next may begin. */
    const takenMs = async (bytes: number): Promise<number> => {
      await pace(bytes);
      const startMs = clock.monotonic();
      let isOver = false;
      void pace(0).then(() => {
        isOver = true;
      });
      for (; !isOver; await new Promise(setImmediate)) clock.advance(100);
      return clock.monotonic() - startMs;
    };
    expect(await takenMs(1_000_000)).toBe(1_000);
    load = 0.5;
    expect(await takenMs(1_000_000)).toBe(2_000);
    load = 1.2;
    expect(await takenMs(1_000_000)).toBe(20_000);
  });
});
