// Small scenarios for tests of the simulator, and one policy that does as it is told.

import { readTopology } from '../../../network/map/topology-file.ts';
import type { Chooser } from '../../../usher/simulator/chooser.ts';
import type { Scenario } from '../../../usher/simulator/scenario.ts';
import type { Ground } from '../../../usher/simulator/world/ground.ts';
import type { Server } from '../../../usher/simulator/world/plant.ts';
import type { Pathway, Viewer } from '../../../usher/simulator/world/viewer.ts';

const TOPOLOGY = readTopology(`
sites:
  ams:
    position: { latitude: 52.31, longitude: 4.76 }
    uplinks:
      peers: { kind: peering, capacityMbps: 100, asns: [1136] }
      transit: { kind: transit, capacityMbps: 1000, pricePerMbpsMonth: 1 }
  nyc:
    position: { latitude: 40.71, longitude: -74 }
    uplinks:
      transit: { kind: transit, capacityMbps: 1000, pricePerGb: 0.01 }
links:
  - { sites: [ams, nyc], capacityMbps: 200, pricePerGb: 0.004, rttMs: 85 }
cdns:
  spare: { urlTemplate: 'https://cdn.example{path}', pricePerGb: 0.02, capPerMonth: 1000 }
`);

/** Two sites of two servers of 100 Mbps, three streams of 2 Mbps; nobody comes unless the changes say so. */
export function scenario(changes: Partial<Scenario> = {}): Scenario {
  return {
    name: 'test',
    about: 'A test.',
    minutes: 10,
    warmupMinutes: 1,
    topology: TOPOLOGY,
    daysBefore: 0,
    servers: [
      { site: 'ams', count: 2, egressMbps: 100, perHost: 1 },
      { site: 'nyc', count: 2, egressMbps: 100, perHost: 1 },
    ],
    streams: { count: 3, zipf: 1, bitrates: [{ mbps: 2, share: 1 }], homeShare: 0.5 },
    audiences: [
      {
        name: 'nl',
        country: 'NL',
        position: { latitude: 52.1, longitude: 5.1 },
        share: 1,
        networks: [
          { asn: 1136, share: 1 },
          { asn: 64500, share: 1 },
        ],
      },
      {
        name: 'us',
        country: 'US',
        position: { latitude: 41.5, longitude: -76 },
        share: 1,
        networks: [{ asn: 7922, share: 1 }],
      },
    ],
    arrivals: [],
    events: [],
    times: { joinMs: 200, copyMs: [1_000, 1_000], reconnectMs: 3_000 },
    ...changes,
  };
}

/** As many viewers of stream 1 from one audience, all at one second. */
export function comers(
  viewers: number,
  { second = 0, audience = 'nl', minutes = 2, stream = 1 } = {},
): Scenario['arrivals'][number] {
  const row = { second, audience, minutes, stream };
  return { kind: 'trace', rows: Array.from({ length: viewers }, () => row) };
}

export interface Told {
  readonly hasGuard?: boolean;
  /** Where a viewer goes; by default to the first server. */
  choose?(viewer: Viewer, avoid: readonly Server[], ground: Ground): readonly Pathway[];
}

export function told({ hasGuard = false, choose }: Told = {}): (ground: Ground) => Chooser {
  return (ground) => ({
    name: 'told',
    hasGuard,
    lingerMs: 1_000,
    failoverMs: 500,
    choose: (viewer, avoid) =>
      choose?.(viewer, avoid, ground) ?? [{ kind: 'server', server: ground.plant.servers[0]! }],
    parents: (stream) => (stream.origin ? [stream.origin] : []),
  });
}
