import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAddress } from '../../../network/map/address.ts';
import { Mmdb } from '../../../network/map/mmdb.ts';
import { type MmdbLayout, mmdbFile, pointerTo } from '../../tools/world/mmdb-file.ts';

const bytes = mmdbFile('GeoIP2-Enterprise', {
  '192.0.2.0/24': {
    country: { iso_code: 'NL' },
    location: { latitude: 52.5, longitude: -4.25 },
    traits: { autonomous_system_number: 1136 },
  },
  '198.51.100.0/24': { country_code: 'ZZZ', latitude: 'north' },
  '2001:db8::/32': { country_code: 'GB', latitude: 51.5, longitude: 0.25, timezone: '' },
});

test('a record is read in the form of GeoIP2 and in that of DB-IP Lite, and what is odd in it is left out', () => {
  const database = new Mmdb(bytes);
  const lookup = (text: string): unknown => database.lookup(parseAddress(text)!);
  expect(lookup('192.0.2.1')).toEqual({
    country: 'NL',
    position: { latitude: 52.5, longitude: -4.25 },
    asn: 1136,
  });
  expect(lookup('2001:db8::1')).toEqual({ country: 'GB', position: { latitude: 51.5, longitude: 0.25 } });
  expect(lookup('198.51.100.1')).toEqual({});
  expect(lookup('203.0.113.1')).toEqual({});
});

test.each<MmdbLayout>([
  { ipVersion: 4, recordSize: 24 },
  { ipVersion: 4, recordSize: 28 },
  { ipVersion: 4, recordSize: 32 },
  { ipVersion: 6, recordSize: 28 },
  { ipVersion: 6, recordSize: 32 },
])('a database with $recordSize bits for each record of a tree for IPv$ipVersion is read', (layout) => {
  const database = new Mmdb(mmdbFile('GeoLite2-Country', { '192.0.2.0/24': { country_code: 'NL' } }, layout));
  expect(database.lookup(parseAddress('192.0.2.1')!)).toEqual({ country: 'NL' });
  expect(database.lookup(parseAddress('192.0.3.1')!)).toEqual({});
  expect(database.lookup(parseAddress('2001:db8::1')!)).toEqual({});
});

test('a record that is made of pointers to pointers, 20 at each of ten levels, is read at once', () => {
  const database = new Mmdb(mmdbFile('GeoLite2-City', { '192.0.2.0/24': pointersToPointers(10, 0) }));
  expect(database.lookup(parseAddress('192.0.2.1')!)).toEqual({});
});

test('a record that is part of itself is refused', () => {
  const own = mmdbFile('GeoLite2-City', { '0.0.0.0/8': { country: pointerTo(0) } });
  expect(() => new Mmdb(own)).toThrow('it is damaged: the value at ');
});

test('metadata that are made of pointers to pointers are refused', () => {
  const file = (place: number): Buffer =>
    mmdbFile('GeoLite2-City', {}, { metadata: { more: pointersToPointers(10, place) } });
  const marker = Buffer.from('MaxMind.com');
  const place = file(0).indexOf(pointersToPointers(10, 0)) - file(0).indexOf(marker) - marker.length;
  expect(() => new Mmdb(file(place))).toThrow('it is damaged: its metadata have more than 100 pointers');
});

/** Lists of 20 pointers to the next list each, the first one at a place; the last one is empty. */
function pointersToPointers(levels: number, place: number): Uint8Array {
  const list = (level: number): Uint8Array[] => [
    Uint8Array.of(20, 4),
    ...Array.from({ length: 20 }, () => pointerTo(place + 42 * (level + 1))),
  ];
  return Buffer.concat([
    ...Array.from({ length: levels }, (_, level) => list(level)).flat(),
    Uint8Array.of(0, 4),
  ]);
}

test.each([
  [
    'that ends before its metadata',
    bytes.subarray(0, bytes.indexOf('MaxMind.com')),
    /does not end as a MaxMind DB/,
  ],
  ['whose metadata are cut', bytes.subarray(0, -100), /it is damaged: /],
  ['whose beginning is cut', bytes.subarray(-300), /it is damaged: /],
  ['without bytes', Buffer.alloc(0), /does not end as a MaxMind DB/],
])('a database %s is refused', (_, cut, message) => {
  expect(() => new Mmdb(cut)).toThrow(
    expect.objectContaining({ code: 'bad_mmdb', message: expect.stringMatching(message) }),
  );
});

test('a damaged database is refused when it is read, or throws where it is damaged, or answers', () => {
  const place = fc.nat(bytes.length - 1);
  const damage = fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(damage, fc.option(place), (changes, length) => {
      const damaged = Buffer.from(bytes.subarray(0, length ?? bytes.length));
      for (const [at, byte] of changes) damaged[at] = byte;
      try {
        new Mmdb(damaged).lookup([0xc0000201]);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
  );
});
