// What a topology file may say.

import { z } from '../config/yaml.ts';
import { isPlaceName, PLACE_NAME_RULE, quoted } from '../names.ts';
import { UPLINK_NAME } from '../session.ts';

const mbps = z.number().min(0).max(1e9);
/** In dollars. A GB is 10^9 bytes. */
const dollars = z.number().min(0).max(1e9);
const asn = z.int().min(1).max(4_294_967_295);
const country = z.string().regex(/^[A-Z]{2}$/, 'a country is two capital letters (ISO 3166-1 alpha-2)');
const placeName = z.string().refine(isPlaceName, { error: PLACE_NAME_RULE, abort: true });
const uplinkName = z.string().regex(UPLINK_NAME, 'the name of an uplink is 1 to 16 letters, digits and "_"');
const cdnName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,32}$/, 'the name of a CDN is 1 to 32 letters, digits, "_" and "-"');

const position = z.strictObject({
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
});

const peering = z.strictObject({
  kind: z.literal('peering'),
  capacityMbps: mbps,
  asns: z.array(asn).min(1).max(20_000),
});

const transit = z
  .strictObject({
    kind: z.literal('transit'),
    capacityMbps: mbps,
    /** Billed by percentile: this price, of the Mbps at the percentile, at least of the commit. */
    pricePerMbpsMonth: dollars.optional(),
    percentile: z.union([z.literal(90), z.literal(95)], '90 or 95').optional(),
    commitMbps: mbps.optional(),
    /** Or billed flat. */
    pricePerGb: dollars.optional(),
  })
  .refine((billed) => (billed.pricePerMbpsMonth === undefined) !== (billed.pricePerGb === undefined), {
    error: 'a transit has either pricePerMbpsMonth or pricePerGb',
  })
  .refine(
    (billed) => billed.pricePerGb === undefined || (billed.percentile ?? billed.commitMbps) === undefined,
    {
      error: 'percentile and commitMbps go with pricePerMbpsMonth',
    },
  );

const site = z.strictObject({
  country: country.optional(),
  position: position.optional(),
  uplinks: z.record(uplinkName, z.discriminatedUnion('kind', [peering, transit], { error: kindRule })),
  /** What the network card of a host can carry, where that is less than its servers may send. */
  hosts: z.record(placeName, mbps).default({}),
});

const link = z
  .strictObject({
    sites: z.tuple([placeName, placeName]),
    capacityMbps: mbps,
    pricePerGb: dollars.default(0),
    /** As measured; by the distance of the sites when it is not given. */
    rttMs: z.number().min(0).max(10_000).optional(),
  })
  .refine(({ sites: [one, other] }) => one !== other, { path: ['sites'], error: 'a link joins two sites' });

const cdn = z.strictObject({
  /** `{path}` stands for the path with its leading slash, `{shield}` for the id of the server that the CDN pulls it from. */
  urlTemplate: z
    .string()
    .refine(isUrlTemplate, 'a URL of http or https that ends with {path} and may have {shield} before it'),
  pricePerGb: dollars,
  /** Viewers of these countries alone. */
  countries: z.array(country).min(1).optional(),
  capPerMonth: dollars,
  /** From how many servers it pulls a stream. */
  shields: z.int().min(1).max(16).default(1),
});

export const topologySchema = z
  .strictObject({
    sites: z.record(placeName, site),
    links: z.array(link).max(10_000).default([]),
    cdns: z.record(cdnName, cdn).default({}),
  })
  .superRefine(({ sites, links }, context) => {
    const seen = new Set<string>();
    for (const [index, { sites: ends }] of links.entries()) {
      const wrong = (path: readonly PropertyKey[], input: string, message: string): void =>
        context.addIssue({ code: 'custom', path: ['links', index, ...path], input, message });
      for (const [end, name] of ends.entries())
        if (!Object.hasOwn(sites, name)) wrong(['sites', end], name, 'no site has this name');
      const pair = ends.toSorted().join(' and ');
      if (seen.has(pair)) wrong(['sites'], pair, 'two sites have one link');
      seen.add(pair);
    }
  });

export type RawTopology = z.output<typeof topologySchema>;
export type RawTransit = z.output<typeof transit>;

function kindRule({ input }: { readonly input: unknown }): string | undefined {
  if (typeof input !== 'object' || input === null) return undefined;
  return `an uplink is of kind peering or transit, not ${quoted('kind' in input ? input.kind : undefined)}`;
}

function isUrlTemplate(template: string): boolean {
  const placeholders: readonly string[] = template.match(/\{[^}]*\}?/g) ?? [];
  const isKnown = placeholders.every((one, index) =>
    index === placeholders.length - 1 ? one === '{path}' : one === '{shield}',
  );
  const url = URL.parse(template.replaceAll('{shield}', 'shield').replace('{path}', '/path'));
  return isKnown && template.endsWith('{path}') && /^https?:$/.test(url?.protocol ?? '');
}
