import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Atlas, type AtlasFiles, openAtlas } from '../../../network/map/atlas.ts';
import { distanceKm } from '../../../network/map/position.ts';
import { NO_TOPOLOGY } from '../../../network/map/topology.ts';
import { keepingLogger, type LogLine } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { mmdbFile } from '../../tools/world/mmdb-file.ts';
import { lastingFolder } from '../../tools/world/scratch-folder.ts';
import { waitFor } from '../../tools/world/wait.ts';

const EXAMPLE = join(import.meta.dirname, '../../../network/map/example.yaml');
const folder = lastingFolder();

const AMSTERDAM = { country: 'NL', position: { latitude: 52.3759, longitude: 4.8975 } };

/** As GeoLite2 City has it. */
const city = mmdbFile('GeoLite2-City', {
  '192.0.2.0/24': {
    country: { iso_code: 'NL', names: { en: 'The Netherlands' } },
    location: { latitude: 52.3759, longitude: 4.8975, accuracy_radius: 10 },
  },
  '198.51.100.0/24': { country: { iso_code: 'US' } },
  '2001:db8:1::/48': { country: { iso_code: 'GB' }, location: { latitude: 51.5085, longitude: -0.1257 } },
});
const networks = mmdbFile('GeoLite2-ASN', {
  '192.0.2.0/24': { autonomous_system_number: 1136, autonomous_system_organization: 'KPN' },
  '2001:db8::/32': { autonomous_system_number: 2856 },
});

let count = 0;
function fileWith(content: string | Buffer): string {
  const file = join(folder, `${count++}`);
  writeFileSync(file, content);
  return file;
}

interface Opened {
  readonly atlas: Atlas;
  readonly lines: readonly LogLine[];
  /** Lets time pass until it holds. */
  until(holds: () => void): Promise<void>;
}

async function opened(files: AtlasFiles): Promise<Opened> {
  const clock = new ManualClock();
  const logger = keepingLogger();
  const atlas = await openAtlas(files, { clock, logger });
  const until = async (holds: () => void): Promise<void> => {
    const pass = (): void => {
      clock.advance(2_000);
      holds();
    };
    await waitFor(pass);
  };
  return { atlas, lines: logger.lines, until };
}

/** As programs replace files that others read. */
function replace(file: string, content: string | Buffer): void {
  writeFileSync(`${file}.new`, content);
  renameSync(`${file}.new`, file);
}

describe('an atlas', () => {
  test('without files knows nobody and reads nothing', async () => {
    const { atlas, lines } = await opened({});
    expect(atlas.locate('8.8.8.8')).toEqual({});
    expect(atlas.topology()).toBe(NO_TOPOLOGY);
    expect(lines).toEqual([]);
  });

  test('knows places and networks of what is installed when there is a topology', async () => {
    const { atlas } = await opened({ topology: EXAMPLE });
    const { position, ...london } = atlas.locate('81.2.69.142');
    expect(london).toEqual({ country: 'GB', asn: 20712 });
    expect(distanceKm(position!, { latitude: 51.5, longitude: -0.12 })).toBeLessThan(30);
    expect(atlas.locate('1.1.1.1').asn).toBe(13_335);
    expect(atlas.locate('::ffff:8.8.8.8')).toMatchObject({ country: 'US', asn: 15_169 });
    expect(atlas.locate('2a00:1450:4009:800::200e')).toMatchObject({ country: 'GB', asn: 15_169 });
    for (const nowhere of [
      '10.0.0.1',
      '127.0.0.1',
      '192.168.1.1',
      '100.64.0.1',
      '::1',
      'fe80::1',
      'fc00::1',
      'localhost',
      '',
    ])
      expect(atlas.locate(nowhere), nowhere).toEqual({});
  });

  test("knows them by an operator's databases, whose records may be poor", async () => {
    const { atlas } = await opened({ cityDb: [fileWith(city)], asnDb: [fileWith(networks)] });
    expect(atlas.locate('192.0.2.77')).toEqual({ ...AMSTERDAM, asn: 1136 });
    expect(atlas.locate('198.51.100.1')).toEqual({ country: 'US' });
    expect(atlas.locate('2001:db8:1::7')).toMatchObject({ country: 'GB', asn: 2856 });
    expect(atlas.locate('2001:db8:2::7')).toEqual({ asn: 2856 });
    expect(atlas.locate('203.0.113.1')).toEqual({});
  });

  test('knows a network by the routes before it looks into a database', async () => {
    const routes = [fileWith('192.0.2.0/25 64500\n')];
    const { atlas } = await opened({ cityDb: [], asnDb: [fileWith(networks)], routes });
    expect(atlas.locate('192.0.2.7')).toEqual({ asn: 64_500 });
    expect(atlas.locate('192.0.2.200')).toEqual({ asn: 1136 });
  });

  test('reads each file again when it has changed', async () => {
    const files = {
      topology: fileWith('sites: { ams: { uplinks: {} } }'),
      cityDb: [fileWith(mmdbFile('City', { '192.0.2.0/24': { country_code: 'DE' } }))],
      routes: [fileWith('192.0.2.0/24 1\n')],
    };
    const { atlas, until, lines } = await opened(files);
    const before = atlas.topology();
    expect(atlas.topology()).toBe(before);
    expect(lines.map(({ message }) => message)).toEqual([
      expect.stringContaining("site 'ams' has no transit"),
    ]);
    expect(atlas.locate('192.0.2.1')).toEqual({ country: 'DE', asn: 1 });
    replace(files.topology, 'sites: { ams: { uplinks: {} }, lon: { uplinks: {} } }');
    replace(files.cityDb[0]!, city);
    writeFileSync(files.routes[0]!, '192.0.2.0/24 20\n');
    await until(() => {
      expect([...atlas.topology().sites.keys()]).toEqual(['ams', 'lon']);
      expect(atlas.locate('192.0.2.1')).toEqual({ ...AMSTERDAM, asn: 20 });
    });
  });

  test('keeps what it has when a file changes for the worse, says why once, and takes the next good one', async () => {
    const [topology, cityDb, routes] = [
      fileWith('sites: { ams: { uplinks: {} } }'),
      fileWith(city),
      fileWith('192.0.2.0/24 1\n'),
    ];
    const { atlas, until, lines } = await opened({ topology, cityDb: [cityDb], routes: [routes] });
    const before = atlas.topology();
    replace(topology, 'sites:\n  ams:\n    colour: red\n');
    replace(cityDb, city.subarray(0, city.length / 2));
    rmSync(routes);
    const errors = (): string[] =>
      lines.filter(({ level }) => level === 'error').map(({ fields }) => String(fields['err']));
    await until(() => expect(errors()).toHaveLength(3));
    await until(() => expect(errors()).toHaveLength(3));
    expect(errors().toSorted()).toEqual([
      expect.stringMatching(/the address database .*: it does not end as a MaxMind DB does/),
      expect.stringMatching(/the routes .*: ENOENT/),
      expect.stringMatching(/the topology .*: line 2: .*\nline 3: sites.ams.colour: there is no such key/),
    ]);
    expect(atlas.topology()).toBe(before);
    expect(atlas.locate('192.0.2.1')).toEqual({ ...AMSTERDAM, asn: 1 });
    writeFileSync(routes, '192.0.2.0/24 20\n');
    await until(() => expect(atlas.locate('192.0.2.1').asn).toBe(20));
  });

  test.each([
    [
      'a topology',
      { topology: '/nowhere/topology.yaml', cityDb: [], routes: [] },
      'bad_file',
      /the topology .*ENOENT/,
    ],
    [
      'a database',
      { cityDb: [EXAMPLE] },
      'bad_mmdb',
      /the address database .*example.yaml: it does not end as/,
    ],
    [
      'a table',
      { routes: [EXAMPLE] },
      'bad_routes',
      /the routes .*example.yaml: \d+ of \d+ lines make no sense/,
    ],
  ])('is not opened with %s that is none', async (_, files, code, message) => {
    const clock = new ManualClock();
    const logger = keepingLogger();
    await expect(openAtlas(files, { clock, logger })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(clock.pending).toBe(0);
  });

  test('closed, looks at no file any more', async () => {
    const clock = new ManualClock();
    const atlas = await openAtlas({ cityDb: [fileWith(city)] }, { clock, logger: keepingLogger() });
    expect(clock.pending).toBe(1);
    atlas[Symbol.dispose]();
    expect(clock.pending).toBe(0);
  });
});
