import { describe, expect, test } from 'vitest';
import { NO_TOPOLOGY, type Topology } from '../../network/map/topology.ts';
import type { Snapshot } from '../../network/state/state.ts';
import { ACCOUNT_MS, Accounting, accountsAfter } from '../../usher/accounting.ts';
import { NOW_MS, server, snapshot } from '../tools/cluster/clusters.ts';

const TOPOLOGY: Topology = {
  ...NO_TOPOLOGY,
  sites: new Map([
    [
      'fra1',
      {
        name: 'fra1',
        uplinks: [
          { kind: 'peering', name: 'ix', capacityMbps: 10_000, asns: [3320] },
          {
            kind: 'transit',
            name: 'paid',
            capacityMbps: 10_000,
            billing: { kind: 'percentile', percentile: 95, microUsdPerMbpsMonth: 500_000, commitMbps: 10 },
          },
        ],
        hosts: {},
      },
    ],
  ]),
};

/** Two servers that send 300 and 100 Mbps by the transit, and another 500 by the exchange. */
function sending(atMs: number): Snapshot {
  const servers = [
    server('a', { committedMbps: 800, uplinks: { paid: 300, ix: 500 }, beatAtMs: atMs }),
    server('b', { committedMbps: 100, uplinks: { paid: 100 }, beatAtMs: atMs }),
    server('c', { committedMbps: 900, uplinks: { transit: 900 }, site: 'nowhere', beatAtMs: atMs }),
  ];
  return snapshot(servers, [], { nowMs: atMs });
}

describe('what uplinks carry', () => {
  test('is added up by transit, over all servers of a site; what costs nothing has no account', () => {
    const changes = accountsAfter(sending(NOW_MS), TOPOLOGY, NOW_MS - 10_000);
    expect(Object.keys(changes)).toEqual(['fra1/paid']);
    expect(changes['fra1/paid']!.gigabytes).toBeCloseTo((400 * 10) / 8_000, 9);
  });

  test('makes the level of five minutes that will be billed', () => {
    const accounting = new Accounting();
    let now = sending(NOW_MS - (NOW_MS % 300_000));
    for (let turn = 0; turn <= 300_000 / ACCOUNT_MS + 1; turn++) {
      const accounts = { ...now.accounts, ...accounting.changes(now, TOPOLOGY) } as Snapshot['accounts'];
      now = { ...sending(now.nowMs + ACCOUNT_MS), accounts };
    }
    expect(now.accounts['fra1/paid']).toMatchObject({ intervals: 1, top: [expect.closeTo(400, 6)] });
  });

  test('is not guessed for a time in which nobody looked, and an uplink that is gone is forgotten', () => {
    const accounting = new Accounting();
    expect(accounting.changes(sending(NOW_MS), TOPOLOGY)).toEqual({});
    expect(accounting.changes(sending(NOW_MS + 5_000), TOPOLOGY)).toEqual({});
    expect(accounting.changes(sending(NOW_MS + 3_600_000), TOPOLOGY)).toEqual({});
    const later = sending(NOW_MS + 3_600_000 + ACCOUNT_MS);
    const changes = accounting.changes(later, TOPOLOGY);
    expect(changes['fra1/paid']!.gigabytes).toBeCloseTo((400 * 10) / 8_000, 9);
    const known = { ...later, accounts: { 'fra1/paid': changes['fra1/paid']! } };
    expect(accountsAfter(known, NO_TOPOLOGY, later.nowMs - 1)).toEqual({ 'fra1/paid': null });
  });
});
