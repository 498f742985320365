import { describe, expect, test } from 'vitest';
import { type CatalogueEntry, STORAGE } from '../../../network/archive/catalogue.ts';
import { systemClock } from '../../../network/clock.ts';
import type { Topology } from '../../../network/map/topology.ts';
import { readTopology } from '../../../network/map/topology-file.ts';
import type { ServerRecord } from '../../../network/state/state.ts';
import { MemoryState } from '../../../network/state/state-memory.ts';
import type { Choice, PlaceRequest } from '../../../usher/placement/request.ts';
import { type Scene, sceneOf } from '../../../usher/placement/scene/scene.ts';
import { placeVod } from '../../../usher/placement/vod.ts';
import { serverRecord } from '../../tools/cluster/cluster-records.ts';
import { catalogueEntry } from '../../tools/media/recordings.ts';

const T = 1_795_213_440_000;

const entriesOf = (...keepers: string[]): CatalogueEntry[] =>
  keepers.map((keeper) => catalogueEntry('alice', T, keeper, { endedAtMs: T }));

async function sceneOver(servers: readonly ServerRecord[], topology?: Topology): Promise<Scene> {
  const state = new MemoryState(systemClock);
  for (const server of servers) await state.beat(server, []);
  return sceneOf(await state.snapshot(), topology ? { topology } : {});
}

const server = (id: string, committedMbps: number, changes: Partial<ServerRecord> = {}): ServerRecord =>
  serverRecord(id, { egressMbps: 100, committedMbps, ...changes });

const ask = (changes: Partial<PlaceRequest> = {}): PlaceRequest => ({
  stream: 'alice',
  viewer: 'somebody',
  whence: {},
  allowCdn: true,
  ...changes,
});

const nameOf = (choice: Choice): string => (choice.kind === 'server' ? choice.server.id : choice.cdn.name);

const placed = async (servers: ServerRecord[], ...keepers: string[]): Promise<string[]> =>
  placeVod(await sceneOver(servers), entriesOf(...keepers), ask()).map(nameOf);

describe('who watches a recording is sent', () => {
  test('to the servers that have it, the one with less to do first, then to others', async () => {
    const servers = [server('a', 80), server('b', 20), server('c', 0)];
    expect(await placed(servers, 'a', 'b', STORAGE)).toEqual(['b', 'a', 'c']);
  });

  test('to another that reads it from storage or from who has it, when those that have it are full or being emptied', async () => {
    const drain = { sinceMs: 0, deadlineMs: null, wished: false };
    const servers = [server('a', 97), server('b', 0, { drain }), server('c', 80), server('d', 10)];
    expect(await placed(servers, 'a', 'b', 'e', STORAGE)).toEqual(['d', 'c']);
    expect(await placed(servers, 'b')).toEqual(['d', 'c']);
    expect(await placed([server('a', 0, { roles: ['origin'] }), server('c', 0)], 'a')).toEqual(['c']);
  });

  test('nowhere when nobody who has it is there, or nobody has room', async () => {
    expect(await placed([server('a', 0)], 'gone')).toEqual([]);
    expect(await placed([server('a', 97), server('b', 99)], 'a', STORAGE)).toEqual([]);
  });

  test('where it is cheap and near, of those that have it and of those that have not', async () => {
    const topology = readTopology(TOPOLOGY);
    const servers = ['near', 'far'].flatMap((site) =>
      [1, 2].map((at) => server(`${site}-${at}`, 0, { site })),
    );
    const scene = await sceneOver(servers, topology);
    const places = (entries: CatalogueEntry[]): string[] =>
      placeVod(scene, entries, ask({ whence: { position: { latitude: 52, longitude: 5 } } })).map(nameOf);
    expect(places(entriesOf('far-1', STORAGE))).toEqual(['far-1', ...places(entriesOf(STORAGE)).slice(0, 2)]);
    expect(places(entriesOf(STORAGE))[0]).toMatch(/^near/);
    expect(places(entriesOf('far-1', 'near-2'))).toMatchObject([
      'near-2',
      'far-1',
      expect.stringMatching(/^near/),
    ]);
  });

  test('by way of a CDN when no server has room, or on to the store where that is allowed', async () => {
    const scene = await sceneOver([server('near-1', 99, { site: 'near' })], readTopology(TOPOLOGY));
    const stored = entriesOf('near-1', STORAGE);
    expect(placeVod(scene, stored, ask()).map(nameOf)).toEqual(['overflow']);
    expect(placeVod(scene, stored, ask({ allowCdn: false }))).toEqual([]);
    const growing = stored.map((entry) => ({ ...entry, endedAtMs: null }));
    expect(placeVod(scene, growing, ask())).toEqual([]);
    expect(placeVod(scene, stored, ask(), true).map(nameOf)).toEqual(['near-1']);
    expect(placeVod(scene, entriesOf('near-1'), ask(), true).map(nameOf)).toEqual(['overflow']);
  });

  test('to the same of several that are equal, and others to others; and stays where it is, full or not', async () => {
    const scene = await sceneOver([...['a', 'b', 'c', 'd'].map((id) => server(id, 12)), server('e', 100)]);
    const firstOf = (viewer: string, now?: string): string =>
      nameOf(placeVod(scene, entriesOf(STORAGE), ask({ viewer, ...(now ? { now } : {}) }))[0]!);
    const viewers = Array.from({ length: 200 }, (_, at) => `viewer ${at}`);
    expect(viewers.map((viewer) => firstOf(viewer))).toEqual(viewers.map((viewer) => firstOf(viewer)));
    expect(new Set(viewers.map((viewer) => firstOf(viewer))).size).toBe(4);
    expect(viewers.map((viewer) => firstOf(viewer, 'b')).every((id) => id === 'b')).toBe(true);
  });
});

const TOPOLOGY = `
sites:
  near:
    position: { latitude: 52.3, longitude: 4.9 }
    uplinks: { transit: { kind: transit, capacityMbps: 10000, pricePerGb: 0.001 } }
  far:
    position: { latitude: 37.4, longitude: -122.1 }
    uplinks: { transit: { kind: transit, capacityMbps: 10000, pricePerGb: 0.001 } }
cdns:
  overflow: { urlTemplate: "https://cdn.example/{shield}{path}", pricePerGb: 0.01, capPerMonth: 100 }
`;
