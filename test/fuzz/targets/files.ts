// Fuzzed: files that operators give, and those of recordings that a crash may have damaged.

import { fileName, readIndex, recordingId, writeLine } from '../../../network/archive/index-file.ts';
import { describeRecording, readManifest } from '../../../network/archive/manifest.ts';
import { assemble } from '../../../network/archive/recording.ts';
import { Mmdb } from '../../../network/map/mmdb.ts';
import { readRouteLine } from '../../../network/map/routes/route-line.ts';
import { readTopology } from '../../../network/map/topology-file.ts';
import { mmdbFile, pointerTo } from '../../tools/world/mmdb-file.ts';
import { changeMmdb } from '../formats/mmdb-values.ts';
import { changeYaml } from '../formats/yaml-values.ts';
import { onText, type Target, texts } from '../target.ts';

export const mmdb: Target = {
  name: 'mmdb',
  reads: 'databases of addresses (MMDB)',
  seeds: () => [
    mmdbFile('GeoLite2-City', {
      '192.0.2.0/24': { country: { iso_code: 'DE' }, location: { latitude: 52.5, longitude: 13.4 } },
      '2001:db8::/32': { autonomous_system_number: 64500 },
    }),
    ...([24, 28, 32] as const).flatMap((recordSize) => [
      mmdbFile(
        'DBIP-City-Lite',
        { '0.0.0.0/1': FLAT, '128.0.0.0/1': pointerTo(0) },
        { ipVersion: 4, recordSize },
      ),
      mmdbFile(
        'GeoIP2-Enterprise',
        { '::/1': ALL_TYPES, '8000::/1': { traits: pointerTo(0) } },
        { recordSize },
      ),
    ]),
  ],
  words: ['\xab\xcd\xefMaxMind.com', 'node_count', 'record_size', 'ip_version', '\xe1', '\x20\0', '\x28\0\0'],
  inFormat: changeMmdb,
  maxBytes: 1024,
  run(input) {
    const database = new Mmdb(Buffer.from(input));
    try {
      database.lookup([0xc000_0201]);
    } catch {
      // Damage beyond what the probes saw is told when it is met.
    }
  },
};

const FLAT = { country_code: 'DE', latitude: 52.5, longitude: 13.4, autonomous_system_number: 64500 };

/** The types that this writer has not, too: bytes, booleans, and integers of 16, 64 and 128 bits, with a sign and without. */
const ALL_TYPES = {
  ...FLAT,
  list: ['a', pointerTo(1), { b: 1 }],
  ...{
    bytes: Uint8Array.of(0x82, 1, 2),
    yes: Uint8Array.of(1, 7),
    float: Uint8Array.of(4, 8, 0x3f, 0x80, 0, 0),
  },
  ...{
    u16: Uint8Array.of(0xa2, 1, 2),
    i32: Uint8Array.of(4, 1, 255, 255, 255, 255),
    i24: Uint8Array.of(2, 1, 255, 255),
  },
  ...{ u64: Uint8Array.of(2, 2, 1, 2), u128: Uint8Array.of(3, 3, 1, 2, 3), zero: Uint8Array.of(0xc0) },
  long: 'x'.repeat(40),
  far: Uint8Array.of(0x38, 0, 0, 0, 1),
};

export const routes: Target = {
  name: 'routes',
  reads: 'lines of route tables',
  seeds: texts(
    '192.0.2.0/24 64500',
    '192.0.2.0 24 64500_64501',
    '192.0.2.0,192.0.2.255,64500,"name"',
    'TABLE_DUMP2|1795213440|B|203.0.113.1|64499|192.0.2.0/24|64499 64500|IGP|203.0.113.1|0|0||NAG||',
  ),
  words: ['TABLE_DUMP2|', '|', ',', '/', '::', 'AS', '{', '_', '4294967296', '2001:db8::/32'],
  run: onText(readRouteLine),
};

/** With all that there may be in one. */
const TOPOLOGY = `sites:
  ams:
    country: NL
    position: { latitude: 52.3, longitude: 4.8 }
    hosts: { host-1: 10000 }
    uplinks:
      t1: { kind: transit, capacityMbps: 1000, pricePerMbpsMonth: 0.5, percentile: 95, commitMbps: 10 }
      t2: { kind: transit, capacityMbps: 1000, pricePerGb: 0.01 }
      ix: { kind: peering, capacityMbps: 100, asns: [64500, 64501] }
  fra: &fra
    position: { latitude: 50.1, longitude: 8.7 }
    uplinks: {}
  lon: *fra
links:
  - { sites: [ams, fra], capacityMbps: 10 }
  - sites: [fra, lon]
    capacityMbps: 10
    pricePerGb: 0.02
    rttMs: 12
cdns:
  fast: { urlTemplate: 'https://cdn.example/{shield}{path}', pricePerGb: 0.01, countries: [NL], capPerMonth: 100, shields: 2 }
`;

export const topology: Target = {
  name: 'topology',
  reads: 'the topology file (YAML)',
  seeds: texts(
    'sites:\n  ams: { country: NL, position: { latitude: 52, longitude: 4 }, uplinks: { t1: { kind: transit, capacityMbps: 1000, pricePerMbpsMonth: 1 } } }\n',
    TOPOLOGY,
    'sites: { a: { uplinks: {} }, b: { uplinks: {} } }\nlinks: [{ sites: [a, b], capacityMbps: 10, pricePerGb: 0, rttMs: 1 }]\n',
  ),
  words: [
    'sites:',
    'links:',
    'cdns:',
    'uplinks:',
    '&a',
    '*a',
    '<<:',
    '!!binary',
    '? ',
    '- ',
    '|',
    '>',
    '{',
    '}',
    '[',
    ']',
    '__proto__:',
    'kind: peering',
    'asns: [64500]',
  ],
  inFormat: changeYaml,
  maxBytes: 1024,
  run: onText(readTopology),
};

const ID = recordingId('s', 1_795_213_440_000);

export const index: Target = {
  name: 'index',
  reads: "a recording's index",
  seeds: () => [Buffer.from(lines())],
  words: [
    '"kind":"segment"',
    '"kind":"gap"',
    '"kind":"init"',
    '"kind":"end"',
    '"msn":',
    '"offset":',
    '"bytes":',
    '-1',
    '1e999',
    '\n',
  ],
  run: onText((text) => {
    const read = readIndex(text);
    const recording = assemble([{ name: fileName('source', 0), index: read }]);
    if (recording) describeRecording(recording, { mediaBytes: 900, thumbnail: null }, undefined);
  }),
};

export const manifest: Target = {
  name: 'manifest',
  reads: "a recording's manifest",
  seeds: texts(
    `{"id":"${ID}","stream":"s","startedAtMs":1,"endedAtMs":null,"firstAtMs":2,"lastAtMs":2,"durationMs":3,"bytes":4,"mediaBytes":5,"renditions":[{"name":"source","codecs":"avc1","width":1,"height":1,"frameRate":1,"peakBps":1,"averageBps":1}],"gaps":[],"title":"","isKept":false,"clipOf":null,"thumbnail":null}`,
  ),
  words: ['"id":', '"renditions":[', '"__proto__":', 'null', '{}', '[]', '1e999', '-1'],
  run: onText((text) => readManifest(text, ID)),
};

function lines(): string {
  const init = {
    kind: 'init',
    at: 0,
    bytes: 700,
    codecs: 'avc1.42c01f',
    width: 640,
    height: 360,
    frameRate: 30,
  } as const;
  const segment = {
    kind: 'segment',
    epoch: 1,
    discontinuitySequence: 0,
    bytes: 100,
    isIndependent: true,
    crc: 7,
  } as const;
  return [
    writeLine({
      kind: 'file',
      format: 1,
      recording: ID,
      stream: 's',
      rendition: 'source',
      startedAtMs: 1_795_213_440_000,
    }),
    writeLine(init),
    writeLine({ ...segment, msn: 0, at: 700, startUs: 0, endUs: 1_000_000, arrivedAtMs: 1_795_213_440_000 }),
    writeLine({ kind: 'gap', fromMsn: 1, toMsn: 2, reason: 'the disk is full' }),
    writeLine({
      ...segment,
      msn: 2,
      at: 800,
      startUs: 2_000_000,
      endUs: 3_000_000,
      arrivedAtMs: 1_795_213_442_000,
    }),
    writeLine({ kind: 'end', isLast: true, atMs: 1_795_213_443_000 }),
  ].join('');
}
