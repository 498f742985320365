import { describe, expect, test } from 'vitest';
import { signature } from '../../../network/hash.ts';
import type { Cdn } from '../../../network/map/topology.ts';
import { type Destination, type Directory, PathwayIds } from '../../../usher/steering/pathway-ids.ts';
import { NOW_MS, server } from '../../tools/cluster/clusters.ts';

const HALF_DAY_MS = 43_200_000;
const cdn = (name: string): Cdn => ({
  name,
  urlTemplate: `https://${name}.example/{shield}{path}`,
  microUsdPerGb: 1,
  capMicroUsdPerMonth: 1,
  shields: 1,
});
const cdns = [cdn('over'), cdn('over-flow')];
// Names that can be read in more than one way.
const servers = ['a', 'flow-a', 'cdn-over-a', 'x_.-Y'].map((id) => server(id));
const directory: Directory = { cdns, serverOf: (id) => servers.find((each) => each.id === id) };
const idsBy = (...secrets: string[]) =>
  new PathwayIds(secrets.map((secret) => (text) => signature(secret, text)));
const ids = idsBy('a secret');

const destinations: Destination[] = [
  ...servers.map((each): Destination => ({ kind: 'server', server: each })),
  ...cdns.flatMap((each) => servers.map((shield): Destination => ({ kind: 'cdn', cdn: each, shield }))),
];

describe('the id of a pathway', () => {
  test('is of the letters that players take, different for each, and leads back', () => {
    const made = destinations.map((to) => ids.of(to, NOW_MS));
    expect(new Set(made).size).toBe(destinations.length);
    for (const [at, id] of made.entries()) {
      expect(id).toMatch(/^[A-Za-z0-9._-]+$/);
      expect(ids.read(id, NOW_MS, directory)).toEqual(destinations[at]);
    }
  });

  test('is another for another address, another half day, and another secret', () => {
    const a = servers[0]!;
    const to: Destination = { kind: 'server', server: a };
    const elsewhere: Destination = {
      kind: 'server',
      server: { ...a, mediaUrl: 'https://elsewhere.example' },
    };
    const others = idsBy('another secret');
    const made = [
      ids.of(to, NOW_MS),
      ids.of(elsewhere, NOW_MS),
      ids.of(to, NOW_MS + HALF_DAY_MS),
      others.of(to, NOW_MS),
    ];
    expect(new Set(made).size).toBe(4);
    for (const id of made.slice(1)) expect(ids.read(id, NOW_MS, directory)).toBeUndefined();
  });

  test('of the secret before is read while it is being changed', () => {
    const to: Destination = { kind: 'server', server: servers[0]! };
    const both = idsBy('the new secret', 'a secret');
    expect(both.read(ids.of(to, NOW_MS), NOW_MS, directory)).toEqual(to);
    expect(both.of(to, NOW_MS)).toBe(idsBy('the new secret').of(to, NOW_MS));
  });

  test.each([
    '',
    '-',
    'a',
    'a-',
    'a-000000',
    'a-0000000',
    'cdn-over-a-000000',
    '-'.repeat(10_000),
    'gone-000000',
  ])('cannot be guessed: %.20s leads nowhere', (id) => {
    expect(ids.read(id, NOW_MS, directory)).toBeUndefined();
  });
});
