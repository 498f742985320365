import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recordingId } from '../../../../network/archive/index-file.ts';
import type { Manifest } from '../../../../network/archive/manifest.ts';
import type { StoredObject } from '../../../../network/archive/storage.ts';
import { filesToFree, isExpired } from '../../../../origin/archive/keeping/retention.ts';

const DAY_MS = 86_400_000;
const NOW_MS = 1_795_213_440_000;
const week = (): number => 7;

function manifest(ageDays: number, more: Partial<Manifest> = {}): Manifest {
  const lastAtMs = NOW_MS - ageDays * DAY_MS;
  return {
    id: recordingId('alice', lastAtMs),
    stream: 'alice',
    startedAtMs: lastAtMs,
    endedAtMs: lastAtMs,
    firstAtMs: lastAtMs,
    lastAtMs,
    thumbnail: null,
    durationMs: 1000,
    bytes: 10,
    mediaBytes: 10,
    renditions: [],
    gaps: [],
    title: '',
    isKept: false,
    clipOf: null,
    ...more,
  };
}

describe('a recording has expired', () => {
  test.each([
    ['not before its days are over', manifest(6.99), week, false],
    ['as soon as they are', manifest(7), week, true],
    ['never when it is kept', manifest(365, { isKept: true }), week, false],
    ['never when its stream is kept for ever', manifest(365), () => null, false],
    ['not while it may grow', manifest(0.01, { endedAtMs: null }), () => 0.001, false],
    ['also when nobody ended it', manifest(8, { endedAtMs: null }), week, true],
  ])('%s', (_, recording, daysOf, expected) => {
    expect(isExpired(recording, daysOf, NOW_MS)).toBe(expected);
  });
});

/** A file of 100 + 10 bytes, and whether it is in storage. */
function fileOf(ageDays: number, name: string, isStored: boolean): StoredObject[] {
  const key = `${recordingId('alice', NOW_MS - ageDays * DAY_MS)}/source.${name}`;
  const objects = [
    { key: `${key}.index`, bytes: 10 },
    { key: `${key}.mp4`, bytes: 100 },
  ];
  return isStored ? [...objects, { key: `${key}.stored`, bytes: 0 }] : objects;
}

describe('for want of space', () => {
  test('the oldest files go that are in storage too, and no more than must', () => {
    const objects = [
      ...fileOf(1, '0000000000', true),
      ...fileOf(3, '0000000000', true),
      ...fileOf(3, '0000000600', true),
      ...fileOf(5, '0000000000', false),
    ];
    const removals = filesToFree(objects, 150, '/disk');
    const old = recordingId('alice', NOW_MS - 3 * DAY_MS);
    expect(removals).toEqual([
      { id: old, where: '/disk', why: 'space', file: 'source.0000000000', bytes: 110 },
      { id: old, where: '/disk', why: 'space', file: 'source.0000000600', bytes: 110 },
    ]);
  });

  test('whatever lies there, nothing goes that is not in storage, and nothing beyond what is wanted', () => {
    const file = fc.record({ age: fc.integer({ min: 0, max: 30 }), isStored: fc.boolean() });
    fc.assert(
      fc.property(fc.array(file, { maxLength: 20 }), fc.nat(2_000), (files, wantedBytes) => {
        const objects = files.flatMap(({ age, isStored }, at) =>
          fileOf(age, String(at).padStart(10, '0'), isStored),
        );
        const removals = filesToFree(objects, wantedBytes, '/disk');
        for (const { file: name } of removals) expect(files[Number(name!.slice(-10))]!.isStored).toBe(true);
        const freed = removals.reduce((sum, { bytes }) => sum + bytes, 0);
        expect(freed - (removals.at(-1)?.bytes ?? 0)).toBeLessThanOrEqual(wantedBytes);
        const all = files.filter(({ isStored }) => isStored).length * 110;
        expect(freed).toBeGreaterThanOrEqual(Math.min(wantedBytes, all));
      }),
    );
  });
});
