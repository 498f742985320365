import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAddress } from '../../../network/map/address.ts';
import { Mmdb } from '../../../network/map/mmdb.ts';
import { mmdbFile } from '../../tools/world/mmdb-file.ts';

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
