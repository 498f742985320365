// Streams with what workers make of them.

import { describe, expect, test } from 'vitest';
import { makerOf, withRungs } from '../../../network/state/rungs.ts';
import type { KnownServer, RenditionRecord } from '../../../network/state/state.ts';
import { NOW_MS, SOURCE, server, stream } from '../../tools/cluster/clusters.ts';

const rendition = (name: string, height: number, averageBps = 1e6): RenditionRecord => ({
  ...SOURCE,
  name,
  height,
  averageBps,
});
const worker = (id: string, agoMs: number, renditions: readonly RenditionRecord[]): KnownServer => {
  const jobs = [{ stream: 'alice', state: 'running' as const, reason: '', renditions }];
  const transcoding = { slots: 1, codecs: ['h264'], jobs };
  return server(id, { beatAtMs: NOW_MS - agoMs, transcoding });
};
const ALICE = [stream('alice', 'o'), stream('bob', 'o')];
const namesOf = (servers: readonly KnownServer[]): readonly string[] =>
  withRungs(ALICE, servers, NOW_MS)[0]!.renditions.map(
    ({ name, averageBps }) => `${name} ${averageBps / 1e6}`,
  );

describe('a stream is shown', () => {
  test('with the rungs of all its workers, the highest first, behind the source', () => {
    const servers = [
      worker('a', 100, [rendition('160p30', 160)]),
      worker('b', 100, [rendition('480p30', 480)]),
    ];
    expect(namesOf(servers)).toEqual(['source 4', '480p30 1', '160p30 1']);
    expect(withRungs(ALICE, servers, NOW_MS)[1]).toBe(ALICE[1]);
  });

  test('with a rung of two workers once, as the one says it that was heard of last', () => {
    const servers = [
      worker('a', 900, [rendition('480p30', 480, 2e6)]),
      worker('b', 100, [rendition('480p30', 480)]),
    ];
    expect(namesOf(servers)).toEqual(['source 4', '480p30 1']);
    expect(makerOf(servers, 'alice', '480p30')?.id).toBe('b');
    expect(makerOf(servers, 'alice', '160p30')).toBeUndefined();
  });

  test('with the rungs of a worker that fell silent until another has had the time to go on', () => {
    expect(namesOf([worker('a', 10_000, [rendition('480p30', 480)])])).toEqual(['source 4', '480p30 1']);
    expect(namesOf([worker('a', 16_000, [rendition('480p30', 480)])])).toEqual(['source 4']);
  });
});
