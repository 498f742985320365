import { describe, expect, test } from 'vitest';
import type { Cdn, Site, Topology, Transit } from '../../../network/map/topology.ts';
import type { KnownServer, RenditionRecord, Snapshot } from '../../../network/state/state.ts';
import { place } from '../../../usher/placement/place.ts';
import { Quality } from '../../../usher/placement/price/quality.ts';
import type { Choice, Decision, PlaceRequest } from '../../../usher/placement/request.ts';
import { type SceneOptions, sceneOf } from '../../../usher/placement/scene/scene.ts';
import { holding, NOW_MS, SOURCE, server, snapshot, stream } from '../../tools/cluster/clusters.ts';

const FRANKFURT = { latitude: 50.1, longitude: 8.7 };
const NEW_YORK = { latitude: 40.7, longitude: -74 };
const ISP = 64_500;

function transit(microUsdPerGb: number, capacityMbps = 10_000): Transit {
  return { kind: 'transit', name: 't', capacityMbps, billing: { kind: 'volume', microUsdPerGb } };
}

function sites(fra: Partial<Site>, nyc: Partial<Site>): ReadonlyMap<string, Site> {
  const common = { uplinks: [transit(1_000)], hosts: {} };
  return new Map([
    ['fra', { name: 'fra', position: FRANKFURT, ...common, ...fra }],
    ['nyc', { name: 'nyc', position: NEW_YORK, ...common, ...nyc }],
  ]);
}

const LINK = { sites: ['fra', 'nyc'] as const, capacityMbps: 1_000, microUsdPerGb: 1_000, rttMs: 80 };

function topology(changes: Partial<Topology> = {}): Topology {
  return { sites: sites({}, {}), links: [LINK], cdns: [], ...changes };
}

/** One holder at each site, and an empty server. */
function cluster(changes: Readonly<Record<string, Partial<KnownServer>>> = {}): Snapshot {
  const all = [
    server('f1', {
      site: 'fra',
      roles: ['origin', 'edge'],
      holdings: [holding('alice', 1)],
      ...changes['f1'],
    }),
    server('f2', { site: 'fra', ...changes['f2'] }),
    server('n1', { site: 'nyc', holdings: [holding('alice', 1)], ...changes['n1'] }),
  ];
  return snapshot(all, [stream('alice', 'f1')]);
}

function decide(of: Snapshot, request: Partial<PlaceRequest> = {}, options: SceneOptions = {}): Decision {
  const scene = sceneOf(of, { topology: topology(), ...options });
  const whence = { position: FRANKFURT, country: 'DE', asn: ISP };
  return place(scene, { stream: 'alice', viewer: 'v', whence, allowCdn: false, ...request });
}

function choicesIn(decision: Decision): readonly Choice[] {
  return decision.kind === 'serve' ? decision.choices : [];
}

function namesIn(decision: Decision): string[] {
  return choicesIn(decision).map((choice) => (choice.kind === 'server' ? choice.server.id : choice.cdn.name));
}

describe('between sites', () => {
  test('the nearer one is taken, and where nothing is known of the viewer the one that was asked', () => {
    expect(namesIn(decide(cluster()))[0]).toBe('f1');
    expect(namesIn(decide(cluster(), { whence: { position: NEW_YORK } }))[0]).toBe('n1');
    expect(namesIn(decide(cluster(), { whence: {}, site: 'nyc' }))[0]).toBe('n1');
  });

  test('transit that is dear enough sends viewers elsewhere: how dear is what a policy says', () => {
    const dear = topology({ sites: sites({ uplinks: [transit(5_000)] }, {}) });
    const bestFor = (policy: string) => namesIn(decide(cluster(), { policy }, { topology: dear }))[0];
    // 7,200 micro-dollars an hour more, or 98 ms.
    expect([bestFor('cheapest'), bestFor('balanced'), bestFor('nearest')]).toEqual(['n1', 'n1', 'f1']);
  });

  test('a port with the viewer’s network is free, and others do not go over it', () => {
    const port = { kind: 'peering', name: 'ix', capacityMbps: 1_000, asns: [ISP] } as const;
    const peered = topology({ sites: sites({ uplinks: [port, transit(5_000)] }, {}) });
    expect(namesIn(decide(cluster(), {}, { topology: peered }))[0]).toBe('f1');
    const whence = { position: FRANKFURT, asn: ISP + 1 };
    expect(namesIn(decide(cluster(), { whence }, { topology: peered }))[0]).toBe('n1');
  });

  test('stalls that players of a network report send the next of them elsewhere, and nobody else', () => {
    const quality = new Quality();
    for (let player = 0; player < 50; player++)
      quality.report({ site: 'fra', asn: ISP, playedMs: 55_000, stalledMs: 5_000 }, NOW_MS);
    expect(namesIn(decide(cluster(), {}, { quality }))[0]).toBe('n1');
    const whence = { position: FRANKFURT, asn: ISP + 1 };
    expect(namesIn(decide(cluster(), { whence }, { quality }))[0]).toBe('f1');
  });

  test('measured round-trip times count more than distance', () => {
    const quality = new Quality();
    quality.report({ site: 'fra', asn: ISP, playedMs: 60_000, stalledMs: 0, rttMs: 180 }, NOW_MS);
    expect(namesIn(decide(cluster(), {}, { quality }))[0]).toBe('n1');
  });

  test('a site without room on its uplinks is passed over, and its servers are no way to fall back on', () => {
    const narrow = topology({ sites: sites({ uplinks: [transit(1_000, 3)] }, {}) });
    expect(namesIn(decide(cluster(), {}, { topology: narrow }))).toEqual(['n1']);
  });
});

describe('a new copy', () => {
  const full = { f1: { sentMbps: 970 } };

  test('is made where all that have the stream are at their limit, below whom it costs least', () => {
    const [first] = choicesIn(decide(cluster(full), { policy: 'nearest' }));
    expect(first).toMatchObject({ server: { id: 'f2' }, copyFrom: 'f1' });
    const [other] = choicesIn(decide(cluster({ f1: { sentMbps: 998 } }), { policy: 'nearest' }));
    expect(other).toMatchObject({ server: { id: 'f2' }, copyFrom: 'n1' });
  });

  test('is not made where it is cheaper to send viewers a little further', () => {
    expect(namesIn(decide(cluster(full))).slice(0, 2)).toEqual(['n1', 'f2']);
  });

  test('is not made over a link that has no room, nor where none joins the sites', () => {
    const lone = cluster({ f1: { sentMbps: 998 }, n1: { roles: ['origin'] } });
    expect(namesIn(decide(lone))).toEqual(['f2']);
    const thin = topology({ links: [{ ...LINK, capacityMbps: 3 }] });
    expect(decide(lone, {}, { topology: thin }).kind).toBe('full');
    expect(decide(lone, {}, { topology: topology({ links: [] }) }).kind).toBe('full');
  });

  test('is made once by all who come together: by the stream, not by the viewer', () => {
    const spares = Array.from({ length: 8 }, (_, at) => server(`s${at}`, { site: 'fra' }));
    const of = cluster({ f1: { sentMbps: 970 }, n1: { sentMbps: 970 } });
    const larger = { ...of, servers: [...of.servers, ...spares] };
    const firsts = Array.from({ length: 40 }, (_, at) => namesIn(decide(larger, { viewer: `v${at}` }))[0]);
    expect(new Set(firsts).size).toBe(1);
  });
});

describe('choices', () => {
  test('stand on different hosts as far as there are some', () => {
    const held = { holdings: [holding('alice', 1)] };
    const box = { host: 'box', site: 'fra', ...held };
    const servers = [
      server('a', box),
      server('b', box),
      server('c', box),
      server('d', { site: 'nyc', ...held }),
    ];
    const names = namesIn(decide(snapshot(servers, [stream('alice', 'a')])));
    expect(names).toHaveLength(3);
    expect(names[1]).toBe('d');
  });

  test('survive a site: the second is of another one, also behind a CDN, unless that is too far or the viewer is sent away', () => {
    const held = { holdings: [holding('alice', 1)] };
    const near = { a: { site: 'fra', ...held }, b: { site: 'fra', ...held }, c: { site: 'fra', ...held } };
    const all = { ...near, far: { site: 'nyc' } };
    const of = (changes: Readonly<Record<string, Partial<KnownServer>>>): Snapshot =>
      snapshot(
        Object.entries({ ...all, ...changes }).map(([id, each]) => server(id, each)),
        [stream('alice', 'a')],
      );
    const second = (decision: Decision): string => namesIn(decision)[1]!;
    expect(second(decide(of({})))).toBe('far');
    const cdns: Cdn[] = [
      { name: 'cdn', urlTemplate: 'https://cdn{path}', microUsdPerGb: 1, capMicroUsdPerMonth: 1, shields: 1 },
    ];
    const withCdn = { topology: topology({ cdns }) };
    expect(namesIn(decide(of({}), { allowCdn: true }, withCdn)).slice(1)).toEqual(['far', 'cdn']);
    const poles = topology({ sites: sites({}, { uplinks: [transit(50_000)] }) });
    expect(second(decide(of({}), {}, { topology: poles }))).not.toBe('far');
    const drain = { sinceMs: 1, deadlineMs: null, wished: true };
    const leaving = of({ a: { site: 'fra', ...held, drain } });
    expect(
      namesIn(decide(leaving, { now: 'a' }))
        .slice(0, 2)
        .sort(),
    ).toEqual(['b', 'c']);
  });
});

describe('a viewer who is somewhere', () => {
  test('stays where another is better by less than a move is worth, and goes for more', () => {
    const near = cluster({ f1: { sentMbps: 600 }, f2: { holdings: [holding('alice', 1)] } });
    expect(namesIn(decide(near))[0]).toBe('f2');
    const [first] = choicesIn(decide(near, { now: 'f1' }));
    expect(first).toMatchObject({ server: { id: 'f1' }, stays: true });
    expect(namesIn(decide(near, { now: 'n1' }))[0]).toBe('f2');
  });

  test('stays on a full server behind a full uplink: what it takes is counted already', () => {
    const narrow = topology({ sites: sites({ uplinks: [transit(1_000, 3)] }, { uplinks: [transit(1, 0)] }) });
    const decision = decide(cluster({ f1: { sentMbps: 1_000 } }), { now: 'f1' }, { topology: narrow });
    expect(choicesIn(decision)).toMatchObject([{ server: { id: 'f1' }, uplink: 't', stays: true }]);
  });

  test('does not stay on one that is being emptied', () => {
    const drain = { sinceMs: 1, deadlineMs: null, wished: true };
    expect(namesIn(decide(cluster({ f1: { drain } }), { now: 'f1' }))).not.toContain('f1');
  });
});

describe('of several renditions', () => {
  const rung = (name: string, mbps: number): RenditionRecord => ({ ...SOURCE, name, averageBps: mbps * 1e6 });
  const ladder = stream('alice', 'a', { renditions: [rung('360p', 1), rung('source', 6), rung('720p', 3)] });
  const lone = (sentMbps: number): Snapshot =>
    snapshot([server('a', { egressMbps: 100, sentMbps, holdings: [holding('alice', 1)] })], [ladder]);

  test.each([
    [80, 6],
    [94, 6],
    [95, 3],
    [98, 1],
  ])('with %i of 100 Mbps in use the highest promised is the one of %i Mbps', (sentMbps, mbps) => {
    expect(choicesIn(decide(lone(sentMbps), {}, { topology: topology() }))).toMatchObject([{ mbps }]);
  });

  test('a viewer is refused only where the lowest does not fit', () => {
    expect(decide(lone(99.5)).kind).toBe('full');
  });
});

describe('a CDN', () => {
  const cdn: Cdn = {
    name: 'cdn',
    urlTemplate: 'https://cdn.example/{shield}{path}',
    microUsdPerGb: 10_000,
    countries: ['DE'],
    capMicroUsdPerMonth: 1_000_000,
    shields: 1,
  };
  const withCdn = { topology: topology({ cdns: [{ ...cdn, name: 'dearer', microUsdPerGb: 12_000 }, cdn] }) };
  const full = cluster({ f1: { sentMbps: 999 }, f2: { sentMbps: 999 }, n1: { sentMbps: 999 } });

  test('is the last resort of whom it may serve, and the cheapest of several is taken', () => {
    expect(namesIn(decide(cluster(), { allowCdn: true }, withCdn))).toEqual(['f1', 'n1', 'cdn']);
    expect(namesIn(decide(cluster(), {}, withCdn))).not.toContain('cdn');
    const whence = { position: FRANKFURT };
    expect(namesIn(decide(cluster(), { allowCdn: true, whence }, withCdn))).not.toContain('cdn');
  });

  test('serves alone when all are full, also of what they keep back, and pulls from one that has the stream', () => {
    const [only, ...others] = choicesIn(decide(full, { allowCdn: true }, withCdn));
    expect(others).toEqual([]);
    expect(only).toMatchObject({ kind: 'cdn', mbps: 4 });
    expect(only!.kind === 'cdn' && only!.shields.map(({ id }) => id)).toHaveLength(1);
    const nearly = cluster({ f1: { sentMbps: 960 }, f2: { sentMbps: 999 }, n1: { sentMbps: 960 } });
    expect(namesIn(decide(nearly, { allowCdn: true }, withCdn))).toEqual(['f1', 'n1', 'cdn']);
  });

  test('pulls from the same servers whoever asks', () => {
    const shields = Array.from({ length: 20 }, (_, at) => {
      const [only] = choicesIn(decide(full, { allowCdn: true, viewer: `v${at}` }, withCdn));
      return only!.kind === 'cdn' ? only!.shields[0]!.id : undefined;
    });
    expect(new Set(shields).size).toBe(1);
  });

  test('costs no more than its cap', () => {
    const spent = { ...cluster(), ...spentOf(1e6) };
    expect(namesIn(decide(spent, { allowCdn: true }, withCdn))).not.toContain('cdn');
    const over = { ...full, ...spentOf(1e6) };
    expect(decide(over, { allowCdn: true }, withCdn)).toMatchObject({ kind: 'full', reason: 'cdn_spent' });
  });

  test('comes first where the policy lets the price decide and it is cheaper', () => {
    const dear = topology({
      sites: sites({ uplinks: [transit(20_000)] }, { uplinks: [transit(20_000)] }),
      cdns: [cdn],
    });
    const bestFor = (policy: string) =>
      namesIn(decide(cluster(), { allowCdn: true, policy }, { topology: dear }))[0];
    expect([bestFor('cheapest'), bestFor('balanced')]).toEqual(['cdn', 'f1']);
  });
});

function spentOf(microUsd: number): Pick<Snapshot, 'spentMicroUsd'> {
  return { spentMicroUsd: { cdn: microUsd, dearer: microUsd } };
}

test('who is refused is told why', () => {
  const reasonIn = (of: Snapshot): unknown => {
    const decision = decide(of);
    return decision.kind === 'full' ? decision.reason : decision.kind;
  };
  const roles = { roles: ['origin'] as const };
  expect(reasonIn(cluster({ f1: roles, f2: roles, n1: roles }))).toBe('no_server');
  const full = { sentMbps: 999 };
  expect(reasonIn(cluster({ f1: full, f2: full, n1: full }))).toBe('no_room');
});
