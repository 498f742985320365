import { describe, expect, test } from 'vitest';
import type { Topology } from '../../../network/map/topology.ts';
import type { KnownServer, Snapshot } from '../../../network/state/state.ts';
import { place } from '../../../usher/placement/place.ts';
import { sceneOf } from '../../../usher/placement/scene/scene.ts';
import { placeAgain } from '../../../usher/steering/moving.ts';
import { type Steered, steer } from '../../../usher/steering/steer.ts';
import { DRAIN, holding, server, snapshot, stream } from '../../tools/cluster/clusters.ts';

const CDN = {
  name: 'spare',
  urlTemplate: 'https://cdn.example{path}',
  microUsdPerGb: 20_000,
  capMicroUsdPerMonth: 1e9,
  shields: 1,
};
const TOPOLOGY: Topology = { sites: new Map(), links: [], cdns: [CDN] };

/** `here` has the stream and two viewers, and is being emptied; `full` feeds CDNs; `other` is what the test says. */
function cluster(other: Partial<KnownServer>, plan: Snapshot['plan'] = {}): Snapshot {
  const here = server('here', { drain: DRAIN, holdings: [holding('alice', 2)] });
  const full = server('full', { sentMbps: 1_000, holdings: [holding('alice', 1)] });
  return snapshot([full, here, server('other', other)], [stream('alice', 'here')], { plan });
}

function steered(given: Snapshot): Steered {
  const scene = sceneOf(given, { topology: TOPOLOGY });
  const emptied = given.servers.find(({ id }) => id === 'here')!;
  const here = { kind: 'server', server: emptied } as const;
  const request = { stream: 'alice', viewer: 'v', whence: {}, allowCdn: true };
  const decision = place(scene, { ...request, ...placeAgain(scene, here) });
  if (decision.kind === 'unknown') throw new Error('the stream is unknown');
  return steer(scene, here, decision, () => true);
}

function namesOf({ choices }: Steered): string[] {
  return choices.map((choice) => (choice.kind === 'cdn' ? choice.cdn.name : choice.server.id));
}

const COMING: Snapshot['plan'] = {
  other: {
    follows: [{ stream: 'alice', rendition: 'source', parents: [{ id: 'here', relayUrl: 'http://here' }] }],
    successors: {},
  },
};

describe('a viewer whose server is being emptied', () => {
  test('goes to one that has the stream, with a CDN for the worst', () => {
    const answer = steered(cluster({ holdings: [holding('alice', 1)] }));
    expect(answer).toMatchObject({ kind: 'goes', reason: 'drain' });
    expect(namesOf(answer)).toEqual(['other', 'spare']);
  });

  test('goes where its server sends playlists to, before one that is less full', () => {
    const given = cluster({ holdings: [holding('alice', 1)], sentMbps: 500 });
    const better = server('better', { holdings: [holding('alice', 1)] });
    const successors = { alice: { id: 'other', mediaUrl: 'https://other.example:8081' } };
    const servers = [better, ...given.servers];
    const plan = { here: { follows: [], successors } };
    expect(namesOf(steered({ ...given, servers, plan }))).toEqual(['other', 'better', 'spare']);
    expect(namesOf(steered({ ...given, servers }))).toEqual(['better', 'other', 'spare']);
  });

  test('waits for a copy that is being made, and does not go to a CDN meanwhile', () => {
    const answer = steered(cluster({}, COMING));
    expect(answer).toMatchObject({ kind: 'waits', reason: 'drain', isChanging: true });
    expect(namesOf(answer)).toEqual(['other', 'spare']);
  });

  test('goes where a copy is made for it when none is on its way', () => {
    const answer = steered(cluster({}));
    expect(answer).toMatchObject({ kind: 'goes', reason: 'drain' });
    expect(namesOf(answer)).toEqual(['other', 'spare']);
  });

  test('goes to a CDN when no server has room', () => {
    const answer = steered(cluster({ sentMbps: 1_000, holdings: [holding('alice', 1)] }));
    expect(answer).toMatchObject({ kind: 'goes', reason: 'drain' });
    expect(namesOf(answer)).toEqual(['spare']);
  });
});
