import { describe, expect, test } from 'vitest';
import type { Cdn, Site, Topology, Uplink } from '../../../network/map/topology.ts';
import type { KnownServer, Snapshot } from '../../../network/state/state.ts';
import { place } from '../../../usher/placement/place.ts';
import { bookFor } from '../../../usher/placement/promises/booking.ts';
import { Promises } from '../../../usher/placement/promises/promises.ts';
import type { CdnChoice, Choice } from '../../../usher/placement/request.ts';
import { type Scene, sceneOf } from '../../../usher/placement/scene/scene.ts';
import { holding, server, snapshot, stream } from '../../tools/cluster/clusters.ts';

const CDN: Cdn = {
  name: 'cdn',
  urlTemplate: 'https://cdn.example/{shield}{path}',
  microUsdPerGb: 10_000,
  capMicroUsdPerMonth: 1_000_000,
  shields: 1,
};
/** No viewer of 4 Mbps fits. */
const FULL = { sentMbps: 999 };
const ROOMY = { sentMbps: 995 };

function topology(transitMbps: Readonly<Record<string, number>>): Topology {
  const site = (name: string): Site => {
    const capacityMbps = transitMbps[name] ?? 10_000;
    const billing = { kind: 'volume' as const, microUsdPerGb: 1_000 };
    const uplinks: Uplink[] = [{ kind: 'transit', name: 't', capacityMbps, billing }];
    return { name, position: { latitude: 50, longitude: 8 }, uplinks, hosts: {} };
  };
  const link = { sites: ['fra', 'nyc'] as const, capacityMbps: 1_000, microUsdPerGb: 1_000, rttMs: 80 };
  return {
    sites: new Map(['fra', 'nyc'].map((name) => [name, site(name)])),
    links: [link],
    cdns: [CDN],
  };
}

/** Two servers have alice; the third has nothing. */
function cluster(changes: Readonly<Record<string, Partial<KnownServer>>>): Snapshot {
  const held = [holding('alice', 1)];
  const all = [
    server('f1', { site: 'fra', roles: ['origin', 'edge'], holdings: held, ...changes['f1'] }),
    server('f2', { site: 'fra', holdings: held, ...changes['f2'] }),
    server('n1', { site: 'nyc', ...changes['n1'] }),
  ];
  return snapshot(all, [stream('alice', 'f1')]);
}

function sceneFor(of: Snapshot, promised = new Promises(), transitMbps: Record<string, number> = {}): Scene {
  return sceneOf(of, { topology: topology(transitMbps), promised });
}

function choicesIn(scene: Scene, viewer = 'v'): readonly Choice[] {
  const decision = place(scene, { stream: 'alice', viewer, whence: {}, allowCdn: true });
  return decision.kind === 'serve' ? decision.choices : [];
}

/** The last resort, whether or not it is needed. */
function overflow(scene: Scene, viewer?: string): CdnChoice | undefined {
  return choicesIn(scene, viewer).find((choice) => choice.kind === 'cdn');
}

function shieldsIn(scene: Scene): string[] {
  return overflow(scene)?.shields.map(({ id }) => id) ?? [];
}

describe('a CDN pulls from a server', () => {
  test('that has room for it, whichever of those that have the stream that is', () => {
    const kept = { holdings: [holding('alice', 1)] };
    for (const id of ['f1', 'f2'])
      expect(
        shieldsIn(sceneFor(cluster({ f1: FULL, f2: FULL, n1: FULL, [id]: { ...ROOMY, ...kept } }))),
      ).toEqual([id]);
  });

  test('that it pulls from already, full or not, as long as that is there', () => {
    for (const id of ['f1', 'f2']) {
      const pulled = { ...FULL, holdings: [holding('alice', 1, { isPulled: true })] };
      expect(shieldsIn(sceneFor(cluster({ f1: ROOMY, f2: ROOMY, n1: FULL, [id]: pulled })))).toEqual([id]);
    }
    const gone = {
      ...FULL,
      holdings: [holding('alice', 1, { isPulled: true })],
      drain: { sinceMs: 0, deadlineMs: null },
    };
    const drained = cluster({ f1: { ...gone, drain: { ...gone.drain, wished: true } }, f2: ROOMY, n1: FULL });
    expect(shieldsIn(sceneFor(drained))).toEqual(['f2']);
  });

  test('that gets the stream for it, where the uplink of those that have it is full', () => {
    const scene = sceneFor(cluster({ n1: { sentMbps: 994 } }), undefined, { fra: 3 });
    expect(overflow(scene)).toMatchObject({
      kind: 'cdn',
      shields: [{ id: 'n1' }],
      copyFrom: expect.stringMatching(/^f[12]$/),
    });
  });

  test('that is about to have the stream, because the plan or a promise brings it there, where nobody has it who may be pulled from', () => {
    const origin = { roles: ['origin'] as const, egressMbps: 100 };
    const nobody = { f1: origin, f2: { holdings: [] }, n1: FULL };
    const parents = [{ id: 'f1', relayUrl: '' }];
    const follow = { stream: 'alice', rendition: 'source', parents };
    const planned = { ...cluster(nobody), plan: { f2: { follows: [follow], successors: {} } } };
    expect(shieldsIn(sceneFor(planned))).toEqual(['f2']);

    const promised = new Promises();
    const scene = sceneFor(cluster(nobody), promised);
    let sent = 0;
    for (; choicesIn(scene, `${sent}`)[0]?.kind === 'server'; sent++)
      bookFor(promised, scene, 'alice', choicesIn(scene, `${sent}`)[0]!, { session: `${sent}` });
    expect(sent).toBeGreaterThan(200);
    expect(shieldsIn(scene)).toEqual(['f2']);
  });

  test('that is full, where all are: what servers keep themselves is promised to nobody', () => {
    const scene = sceneFor(cluster({ f1: FULL, f2: FULL, n1: FULL }));
    const choice = overflow(scene)!;
    expect(choice.shields).toHaveLength(1);
    bookFor(scene.promised, scene, 'alice', choice, { session: 'v' });
    expect(scene.promised.resources()).toEqual([]);
  });
});

describe('what a CDN is to pull', () => {
  const full = { f1: ROOMY, f2: FULL, n1: FULL };

  test('is promised once for all its viewers, until the server says that it pulls', () => {
    const promised = new Promises();
    const scene = sceneFor(cluster(full), promised);
    for (const session of ['v', 'w', 'x'])
      bookFor(promised, scene, 'alice', overflow(scene, session)!, { session });
    expect([promised.on('server/f1').mbps, promised.on('uplink/fra/t').mbps]).toEqual([4, 4]);
    const pulled = { ...FULL, holdings: [holding('alice', 1, { isPulled: true })] };
    sceneFor(cluster({ ...full, f1: pulled }), promised);
    expect(promised.resources()).toEqual([]);
  });

  test('keeps its room from viewers whom the CDN can serve, and from no other', () => {
    const scene = sceneFor(cluster(full));
    expect(choicesIn(scene)[0]!.kind).toBe('cdn');
    const decision = place(scene, { stream: 'alice', viewer: 'v', whence: {}, allowCdn: false });
    expect(decision).toMatchObject({ kind: 'serve', choices: [{ server: { id: 'f1' } }] });
    const pulled = { holdings: [holding('alice', 1, { isPulled: true })] };
    const free = sceneFor(cluster({ ...full, f2: { ...FULL, ...pulled } }));
    expect(choicesIn(free)[0]).toMatchObject({ kind: 'server', server: { id: 'f1' } });
  });
});
