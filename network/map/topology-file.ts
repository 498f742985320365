// The topology as a YAML file says it, with its prices in integers.

import { explain, parseYaml, type YamlText } from '../config/yaml.ts';
import { CodedError, reasonOf } from '../errors.ts';
import { estimatedRttMs } from './position.ts';
import type { Billing, Cdn, Link, Site, Topology, Uplink } from './topology.ts';
import { type RawTopology, type RawTransit, topologySchema } from './topology-schema.ts';

/** Reads a topology. Throws `bad_topology` with everything that is wrong, each with its line, key and value. */
export function readTopology(yaml: string): Topology {
  const text = parse(yaml);
  const parsed = topologySchema.safeParse(text.value, { reportInput: true });
  if (!parsed.success) {
    const wrong = explain(
      parsed.error,
      (path) => `line ${text.lineOf(path)}: `,
      () => false,
    );
    throw new CodedError('bad_topology', wrong);
  }
  const sites = new Map(Object.entries(parsed.data.sites).map(([name, raw]) => [name, siteFrom(name, raw)]));
  return {
    sites,
    links: parsed.data.links.map((raw) => linkFrom(raw, sites)),
    cdns: Object.entries(parsed.data.cdns).map(([name, raw]) => cdnFrom(name, raw)),
  };
}

function parse(yaml: string): YamlText {
  try {
    return parseYaml(yaml);
  } catch (error) {
    throw new CodedError('bad_topology', reasonOf(error), { cause: error });
  }
}

function siteFrom(name: string, { country, position, uplinks, hosts }: RawTopology['sites'][string]): Site {
  return {
    name,
    ...(country === undefined ? {} : { country }),
    ...(position === undefined ? {} : { position }),
    uplinks: Object.entries(uplinks).map(([uplink, raw]) => uplinkFrom(uplink, raw)),
    hosts,
  };
}

function uplinkFrom(name: string, raw: RawTopology['sites'][string]['uplinks'][string]): Uplink {
  const { kind, capacityMbps } = raw;
  if (kind === 'peering') return { kind, name, capacityMbps, asns: raw.asns };
  return { kind, name, capacityMbps, billing: billingFrom(raw) };
}

function billingFrom({ pricePerMbpsMonth, percentile, commitMbps, pricePerGb }: RawTransit): Billing {
  if (pricePerMbpsMonth === undefined) return { kind: 'volume', microUsdPerGb: microUsd(pricePerGb!) };
  return {
    kind: 'percentile',
    percentile: percentile ?? 95,
    microUsdPerMbpsMonth: microUsd(pricePerMbpsMonth),
    commitMbps: commitMbps ?? 0,
  };
}

function linkFrom(raw: RawTopology['links'][number], sites: ReadonlyMap<string, Site>): Link {
  const [one, other] = raw.sites.toSorted() as [string, string];
  return {
    sites: [one, other],
    capacityMbps: raw.capacityMbps,
    microUsdPerGb: microUsd(raw.pricePerGb),
    rttMs: raw.rttMs ?? estimatedRttMs(sites.get(one)?.position, sites.get(other)?.position),
  };
}

function cdnFrom(name: string, raw: RawTopology['cdns'][string]): Cdn {
  const { urlTemplate, countries, shields } = raw;
  return {
    name,
    urlTemplate,
    microUsdPerGb: microUsd(raw.pricePerGb),
    ...(countries === undefined ? {} : { countries }),
    capMicroUsdPerMonth: microUsd(raw.capPerMonth),
    shields,
  };
}

function microUsd(dollars: number): number {
  return Math.round(dollars * 1_000_000);
}
