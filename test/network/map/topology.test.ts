import { expect, test } from 'vitest';
import { linkBetween, NO_TOPOLOGY, siteOf, UNLIMITED_MBPS } from '../../../network/map/topology.ts';

test('without a topology every site has one free transit without a limit, and a free link to every other', () => {
  expect(siteOf(NO_TOPOLOGY, 'ams').uplinks).toEqual([
    {
      kind: 'transit',
      name: 'transit',
      capacityMbps: UNLIMITED_MBPS,
      billing: { kind: 'volume', microUsdPerGb: 0 },
    },
  ]);
  expect(linkBetween(NO_TOPOLOGY, 'lon', 'ams')).toMatchObject({ sites: ['ams', 'lon'], microUsdPerGb: 0 });
});
