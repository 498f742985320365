import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../../network/clock.ts';
import { getText } from '../../../../network/http/dial.ts';
import { readTopology } from '../../../../network/map/topology-file.ts';
import { explainCommand } from '../../../../usher/commands/streams/explain.ts';
import { explainText } from '../../../../usher/commands/streams/explain-text.ts';
import type { Explained } from '../../../../usher/explained/explained.ts';
import { DRAIN, holding, NOW_MS, server, snapshot, stream } from '../../../tools/cluster/clusters.ts';
import { SECRETS, UsherListener } from '../../../tools/cluster/usher-listener.ts';
import { typed } from '../../../tools/world/typed.ts';

const topology = readTopology(`
sites:
  ams:
    position: { latitude: 52.3, longitude: 4.8 }
    uplinks:
      amsix: { kind: peering, capacityMbps: 10000, asns: [1136] }
      transit: { kind: transit, capacityMbps: 10000, pricePerGb: 0.005 }
  iad:
    position: { latitude: 38.9, longitude: -77.4 }
    uplinks:
      transit: { kind: transit, capacityMbps: 10000, pricePerGb: 0.01 }
links:
  - { sites: [ams, iad], capacityMbps: 1000, pricePerGb: 0.002 }
cdns:
  overflow: { urlTemplate: "https://cdn.example/{shield}{path}", pricePerGb: 0.02, capPerMonth: 100 }
  asian: { urlTemplate: "https://asia.example/{shield}{path}", pricePerGb: 0.02, capPerMonth: 100, countries: [JP] }
`);

/** Of every kind there is one. */
const cluster = snapshot(
  [
    server('ams-1', {
      site: 'ams',
      roles: ['origin', 'edge'],
      sentMbps: 600,
      holdings: [holding('alice', 9)],
    }),
    server('ams-2', { site: 'ams', sentMbps: 300, holdings: [holding('alice', 9)] }),
    server('ams-3', { site: 'ams', sentMbps: 999, holdings: [holding('alice', 9)] }),
    server('ams-4', { site: 'ams', sentMbps: 300, drain: DRAIN }),
    server('ams-5', { site: 'ams', beatAtMs: NOW_MS - 5_000 }),
    server('iad-1', { site: 'iad' }),
    server('iad-2', { site: 'iad', roles: ['transcoder'] }),
  ],
  [stream('alice', 'ams-1')],
);

// Usher knows operators by it.
beforeAll(() => {
  process.env['HEADWATER_SECRETS'] = SECRETS.join(',');
});
afterAll(() => {
  delete process.env['HEADWATER_SECRETS'];
});

let usher: UsherListener;
beforeAll(async () => {
  usher = await UsherListener.start({
    state: { snapshot: async () => cluster },
    topology,
    site: 'ams',
    locate: () => ({ country: 'NL', position: { latitude: 52.1, longitude: 5.1 }, asn: 1136 }),
  });
});
afterAll(() => usher[Symbol.asyncDispose]());

const read = (...args: string[]) =>
  typed(explainCommand({ getText, clock: systemClock }), [...args, '--usher', usher.url]);

describe('an explanation', () => {
  test('is that of explain.txt', async () => {
    await expect((await read('alice', '198.51.100.7')).out).toMatchFileSnapshot(
      '../../../golden/explain.txt',
    );
  });

  test('is data with --json, without what is secret or long', async () => {
    const value = JSON.parse((await read('alice', '2001:DB8::1', '--json')).out) as Explained;
    expect(value).toMatchObject({
      stream: 'alice',
      address: '2001:db8::1',
      whence: { asn: 1136 },
      choices: [{ kind: 'server', server: 'ams-2', uplink: 'amsix', mbps: 4 }, {}, { kind: 'cdn' }],
    });
    expect(JSON.stringify(value)).not.toContain('http');
  });

  test('says where nobody knows, why nobody is served, and how much is left out', () => {
    const servers = Array.from({ length: 60 }, (_, at) => ({
      id: `s${at}`,
      site: 'ams',
      host: 'h',
      state: 'none' as const,
      excluded: { limit: 'parent' as const },
    }));
    const none = { stream: 'a', address: '::1', whence: {}, site: 'ams', policy: 'cheapest', mbps: 4 };
    const text = explainText({ ...none, choices: [], full: 'no_room', servers, cdns: [] });
    expect(text).toContain('from nowhere known');
    expect(text).toContain('goes to nowhere: every server that may serve it is full');
    expect(text).toContain('and 10 more, which --json has');
  });
});

describe('a clear error says', () => {
  test.each([
    [['alice'], 2, /missing required argument 'address'/],
    [['alice', '::1', 'x'], 2, /too many arguments/],
    [['alice', 'here'], 1, /status 400: address='here' is no IP address/],
    [['bob', '::1'], 3, /^error: no stream 'bob' is live/],
  ])('what is wrong in %j', async (args, code, words) => {
    const { code: exited, err } = await read(...args);
    expect(exited).toBe(code);
    expect(err).toMatch(words);
  });
});
