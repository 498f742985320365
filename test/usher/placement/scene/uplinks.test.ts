import { expect, test } from 'vitest';
import type { Uplink } from '../../../../network/map/topology.ts';
import { FREE, type Tariff } from '../../../../usher/placement/price/billing.ts';
import { nothingBooked } from '../../../../usher/placement/scene/loads.ts';
import {
  type SceneUplink,
  uplinksTo,
  type Wayfarer,
  wayOut,
} from '../../../../usher/placement/scene/uplinks.ts';

const PEER = 64500;
const STRANGER = 64501;

function port(name: string, usedMbps: number): SceneUplink {
  return sceneUplink({ kind: 'peering', name, capacityMbps: 100, asns: [PEER] }, usedMbps, FREE);
}

function transit(name: string, usedMbps: number, microUsdPerMbpsHour: number): SceneUplink {
  const billing = { kind: 'volume', microUsdPerGb: 1 } as const;
  const uplink = { kind: 'transit', name, capacityMbps: 100, billing } as const;
  return sceneUplink(uplink, usedMbps, { ...FREE, microUsdPerMbpsHour });
}

function sceneUplink(uplink: Uplink, usedMbps: number, tariff: Tariff): SceneUplink {
  const load = { resource: uplink.name, limitMbps: uplink.capacityMbps, usedMbps, booked: nothingBooked() };
  return { uplink, load, tariff };
}

function wayfarer(asn: number | undefined): Wayfarer {
  return { asn, mbps: 10, neededMbps: 10, beyondLease: false };
}

function nameOf(uplinks: readonly SceneUplink[], asn: number | undefined): string | undefined {
  return wayOut(uplinks, wayfarer(asn))?.uplink.uplink.name;
}

test('a network is reached by a port with it that has room, for nothing', () => {
  const uplinks = [transit('t', 0, 5), port('full', 95), port('p', 50)];
  expect(wayOut(uplinks, wayfarer(PEER))).toMatchObject({
    uplink: { uplink: { name: 'p' } },
    microUsdPerHour: 0,
  });
});

test('no transit takes what is for a network whose ports are full: routers would still use these', () => {
  const uplinks = [port('p', 95), transit('t', 0, 5)];
  expect(nameOf(uplinks, PEER)).toBeUndefined();
  expect(nameOf(uplinks, STRANGER)).toBe('t');
  expect(uplinksTo(uplinks, PEER).map(({ uplink }) => uplink.name)).toEqual(['p']);
});

test('all other networks, and those that nobody knows, are reached by the cheapest transit with room', () => {
  const uplinks = [port('p', 0), transit('dear', 0, 5), transit('cheap', 0, 2), transit('full', 95, 1)];
  expect(nameOf(uplinks, STRANGER)).toBe('cheap');
  expect(nameOf(uplinks, undefined)).toBe('cheap');
  expect(uplinksTo(uplinks, undefined)).toHaveLength(3);
});
