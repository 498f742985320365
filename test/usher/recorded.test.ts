import { describe, expect, test } from 'vitest';
import { type CatalogueEntry, inCatalogueOrder, STORAGE } from '../../network/archive/catalogue.ts';
import { recordedAs } from '../../usher/recorded.ts';
import { catalogueEntry } from '../tools/media/recordings.ts';

const T = 1_800_000_000_000;

/** From one second of a broadcast to another. */
const part = (
  keeper: string,
  fromS: number,
  toS: number,
  changes: Partial<CatalogueEntry> = {},
): CatalogueEntry =>
  catalogueEntry('alice', T, keeper, {
    firstAtMs: T + fromS * 1000,
    lastAtMs: T + (toS - 1) * 1000,
    durationMs: (toS - fromS) * 1000,
    bytes: toS - fromS,
    ...changes,
  });

const told = (...entries: CatalogueEntry[]) => recordedAs(inCatalogueOrder(entries));

describe('what is told of a recording', () => {
  test('is all of it, when it moved from one server to another in the middle', () => {
    const recorded = told(part('a', 0, 60), part('b', 63, 163, { endedAtMs: T + 163_000 }));
    expect(recorded).toMatchObject({ durationMs: 160_000, bytes: 160, endedAtMs: T + 163_000 });
  });

  test('is what whoever has most says, where several have the same', () => {
    const growing = told(part('a', 0, 600), part(STORAGE, 0, 540));
    expect(growing).toMatchObject({ durationMs: 600_000, bytes: 600, endedAtMs: null });
    expect(told(part('a', 0, 60, { endedAtMs: T }), part(STORAGE, 0, 60))).toMatchObject({ endedAtMs: T });
    expect(told(part('a', 0, 60), part('b', 60, 90), part(STORAGE, 0, 90))).toMatchObject({
      durationMs: 90_000,
    });
  });

  test('has the renditions of all, each once, the source first', () => {
    const [source] = part('a', 0, 1).renditions as [CatalogueEntry['renditions'][number]];
    const named = (name: string, averageBps: number) => ({ ...source, name, averageBps });
    const recorded = told(
      part('a', 0, 60, { renditions: [named('160p30', 2e5), named('720p30', 3e6), source] }),
      part('b', 60, 90, { renditions: [source, named('audio', 1e5)] }),
    );
    expect(recorded.renditions.map(({ name }) => name)).toEqual(['source', '720p30', '160p30', 'audio']);
  });
});
