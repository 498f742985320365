import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { linkBetween, remarksOn, siteOf } from '../../../network/map/topology.ts';
import { readTopology } from '../../../network/map/topology-file.ts';

const EXAMPLE = join(import.meta.dirname, '../../../network/map/example.yaml');

describe('the topology that is shipped as an example', () => {
  const topology = readTopology(readFileSync(EXAMPLE, 'utf8'));

  test('has four sites on two continents, each with a transit, and a way from each to each', () => {
    expect([...topology.sites.keys()]).toEqual(['sfo', 'chi', 'iad', 'ams']);
    expect(remarksOn(topology)).toEqual([]);
    expect(linkBetween(topology, 'sfo', 'ams')).toBeUndefined();
    expect(linkBetween(topology, 'iad', 'ams')).toBe(linkBetween(topology, 'ams', 'iad'));
  });

  test('has its prices in micro-dollars', () => {
    expect(siteOf(topology, 'iad').uplinks).toEqual([
      { kind: 'peering', name: 'equinix', capacityMbps: 40_000, asns: [7922, 701, 6128, 812, 577] },
      {
        kind: 'transit',
        name: 'transit',
        capacityMbps: 60_000,
        billing: { kind: 'percentile', percentile: 95, microUsdPerMbpsMonth: 300_000, commitMbps: 10_000 },
      },
      {
        kind: 'transit',
        name: 'spare',
        capacityMbps: 20_000,
        billing: { kind: 'volume', microUsdPerGb: 10_000 },
      },
    ]);
    expect(topology.links[0]).toEqual({
      sites: ['chi', 'sfo'],
      capacityMbps: 10_000,
      microUsdPerGb: 2_000,
      rttMs: 47,
    });
    expect(topology.cdns).toEqual([
      {
        name: 'overflow',
        urlTemplate: 'https://cdn.example.net/{shield}{path}',
        microUsdPerGb: 12_000,
        countries: ['US', 'CA', 'NL', 'BE', 'DE', 'GB', 'FR'],
        capMicroUsdPerMonth: 5_000_000_000,
        shields: 2,
      },
    ]);
  });
});

const site = (uplinks: string): string => `sites:\n  ams:\n    uplinks:\n      ${uplinks}\n`;
const two = 'sites: { ams: { uplinks: {} }, lon: { uplinks: {} } }\n';
const cdn = (template: string): string =>
  `sites: {}\ncdns:\n  overflow:\n    urlTemplate: ${template}\n    pricePerGb: 1\n    capPerMonth: 1\n`;

describe('a topology', () => {
  test('takes the round-trip time of a link from the distance where none was measured', () => {
    const place = (latitude: number): string =>
      `{ position: { latitude: ${latitude}, longitude: 4 }, uplinks: {} }`;
    const text = `sites: { ams: ${place(52)}, osl: ${place(60)} }\nlinks: [{ sites: [osl, ams], capacityMbps: 1 }]`;
    expect(readTopology(text).links).toEqual([
      { sites: ['ams', 'osl'], capacityMbps: 1, microUsdPerGb: 0, rttMs: expect.closeTo(18.2, 1) },
    ]);
  });

  test('may have sites that serve only whom they peer with, and sites that no link joins, and says so', () => {
    const peering = '{ kind: peering, capacityMbps: 1000, asns: [3320] }';
    expect(remarksOn(readTopology(site(`fra: ${peering}`)))).toEqual([
      "site 'ams' has no transit: it serves only viewers in networks that it peers with",
    ]);
    expect(remarksOn(readTopology(two))).toContain(
      "site 'lon' has no link: no stream is copied to or from it",
    );
  });

  test.each([
    ['nothing', '', 'line 1: the whole: '],
    ['what is not YAML', 'sites:\n  ams: [', 'line 2: '],
    [
      'two sites of a name',
      'sites:\n  ams: { uplinks: {} }\n  ams: { uplinks: {} }',
      'line 3: Map keys must be unique',
    ],
    ['a site without uplinks', 'sites:\n  ams: {}', 'line 2: sites.ams.uplinks: '],
    ['an unknown key', `${two}colour: red`, 'line 2: colour: there is no such key'],
    [
      'an unknown key inside',
      site('x: { kind: peering, capacityMbps: 1, asns: [1], price: 1 }'),
      'line 4: sites.ams.uplinks.x.price: there is no such key',
    ],
    [
      'a site name that no URL takes',
      'sites:\n  a/b: { uplinks: {} }',
      /^line 2: sites.a\/b: .*\(got "a\/b"\)$/,
    ],
    [
      'an uplink name too long for a session',
      site('transit_of_a_carrier: { kind: transit, capacityMbps: 1, pricePerGb: 1 }'),
      'line 4: sites.ams.uplinks.transit_of_a_carrier: the name of an uplink',
    ],
    [
      'an uplink of no known kind',
      site('x: { kind: satellite, capacityMbps: 1 }'),
      /^line 4: .*uplinks.x.kind: .*'satellite'/,
    ],
    [
      'a negative capacity',
      site('x: { kind: transit, capacityMbps: -1, pricePerGb: 1 }'),
      /^line 4: .*capacityMbps: .*-1/,
    ],
    [
      'a capacity that is not a number',
      site('x: { kind: transit, capacityMbps: 10_000, pricePerGb: 1 }'),
      /capacityMbps: .*"10_000"/,
    ],
    [
      'a transit without a price',
      site('x: { kind: transit, capacityMbps: 1 }'),
      'line 4: sites.ams.uplinks.x: a transit has either',
    ],
    [
      'a transit of two prices',
      site('x: { kind: transit, capacityMbps: 1, pricePerGb: 1, pricePerMbpsMonth: 1 }'),
      'a transit has either',
    ],
    [
      'a percentile without its price',
      site('x: { kind: transit, capacityMbps: 1, pricePerGb: 1, percentile: 95 }'),
      'percentile and commitMbps go with',
    ],
    [
      'a percentile that nobody bills by',
      site('x: { kind: transit, capacityMbps: 1, pricePerMbpsMonth: 1, percentile: 99 }'),
      /percentile: 90 or 95 \(got 99\)/,
    ],
    ['an ASN that is none', site('x: { kind: peering, capacityMbps: 1, asns: [0] }'), /asns.0: .*got 0/],
    [
      'a place that is not on Earth',
      'sites:\n  ams:\n    uplinks: {}\n    position: { latitude: 91, longitude: 0 }',
      /^line 4: .*latitude: .*91/,
    ],
    [
      'a link to nowhere',
      `${two}links:\n  - sites: [ams, nyc]\n    capacityMbps: 1`,
      'line 3: links.0.sites.1: no site has this name (got "nyc")',
    ],
    [
      'a link of a site with itself',
      `${two}links:\n  - sites: [ams, ams]\n    capacityMbps: 1`,
      'line 3: links.0.sites: a link joins two sites',
    ],
    [
      'two links of two sites',
      `${two}links:\n  - { sites: [ams, lon], capacityMbps: 1 }\n  - { sites: [lon, ams], capacityMbps: 1 }`,
      'line 4: links.1.sites: two sites have one link (got "ams and lon")',
    ],
    [
      'a URL without {path}',
      cdn('"https://cdn.example.net/{shield}"'),
      'line 4: cdns.overflow.urlTemplate: ',
    ],
    [
      'a URL with an unknown placeholder',
      cdn('"https://cdn.example.net/{server}{path}"'),
      'line 4: cdns.overflow.urlTemplate: ',
    ],
    ['a URL that is none', cdn('"{shield}{path}"'), 'line 4: cdns.overflow.urlTemplate: '],
    [
      'a country that is none',
      `${two}cdns: { x: { urlTemplate: "http://x{path}", pricePerGb: 1, capPerMonth: 1, countries: [nl] } }`,
      /countries.0: .*"nl"/,
    ],
  ])('with %s is refused, naming line and key', (_, text, wrong) => {
    const message = typeof wrong === 'string' ? expect.stringContaining(wrong) : expect.stringMatching(wrong);
    expect(() => readTopology(text)).toThrow(expect.objectContaining({ code: 'bad_topology', message }));
  });

  test('takes a CDN by the host name of the shield', () => {
    expect(readTopology(cdn('"https://{shield}.cdn.example.net{path}"')).cdns).toHaveLength(1);
  });
});
