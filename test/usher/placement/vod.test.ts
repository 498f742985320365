import { describe, expect, test } from 'vitest';
import { type CatalogueEntry, STORAGE } from '../../../network/archive/catalogue.ts';
import { systemClock } from '../../../network/clock.ts';
import type { ServerRecord, Snapshot } from '../../../network/state/state.ts';
import { MemoryState } from '../../../network/state/state-memory.ts';
import { placeVod } from '../../../usher/placement/vod.ts';
import { serverRecord } from '../../tools/cluster/cluster-records.ts';
import { catalogueEntry } from '../../tools/media/recordings.ts';

const T = 1_795_213_440_000;

const entriesOf = (...keepers: string[]): CatalogueEntry[] =>
  keepers.map((keeper) => catalogueEntry('alice', T, keeper));

async function clusterOf(...servers: ServerRecord[]): Promise<Snapshot> {
  const state = new MemoryState(systemClock);
  for (const server of servers) await state.beat(server, []);
  return state.snapshot();
}

const server = (id: string, committedMbps: number, changes: Partial<ServerRecord> = {}): ServerRecord =>
  serverRecord(id, { egressMbps: 100, committedMbps, ...changes });

const placed = async (servers: ServerRecord[], ...keepers: string[]): Promise<string[]> =>
  placeVod(await clusterOf(...servers), entriesOf(...keepers), 'somebody').map(({ id }) => id);

describe('who watches a recording is sent', () => {
  test('to the servers that have it, the one with less to do first', async () => {
    expect(await placed([server('a', 60), server('b', 20), server('c', 0)], 'a', 'b', STORAGE)).toEqual([
      'b',
      'a',
    ]);
  });

  test('to another that reads storage, when those that have it are full, gone or being emptied', async () => {
    const drain = { sinceMs: 0, deadlineMs: null, wished: false };
    const servers = [server('a', 97), server('b', 0, { drain }), server('c', 50), server('d', 10)];
    expect(await placed(servers, 'a', 'b', 'e', STORAGE)).toEqual(['d', 'c']);
  });

  test('nowhere when only servers without room have it', async () => {
    expect(await placed([server('a', 97), server('b', 0)], 'a')).toEqual([]);
    expect(await placed([server('a', 0, { roles: ['origin'] })], 'a', STORAGE)).toEqual([]);
  });

  test('to the same of several that are equal, and others to others', async () => {
    const snapshot = await clusterOf(...['a', 'b', 'c', 'd'].map((id) => server(id, 12)));
    const firstOf = (viewer: string): string => placeVod(snapshot, entriesOf(STORAGE), viewer)[0]!.id;
    const viewers = Array.from({ length: 200 }, (_, at) => `viewer ${at}`);
    expect(viewers.map(firstOf)).toEqual(viewers.map(firstOf));
    expect(new Set(viewers.map(firstOf)).size).toBe(4);
  });
});
