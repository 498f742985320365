import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, test } from 'vitest';
import { formatAddress, isWithin, parseAddress, parsePrefix } from '../../../network/map/address.ts';

describe('an address', () => {
  test.each([
    ['192.0.2.1', [0xc0000201]],
    ['255.255.255.255', [0xffffffff]],
    ['2001:db8::1', [0x20010db8, 0, 0, 1]],
    ['::ffff:192.0.2.1', [0xc0000201]],
    ['::FFFF:c000:201', [0xc0000201]],
    ['fe80::1%eth0', [0xfe800000, 0, 0, 1]],
  ])('%s is %j', (text, words) => {
    expect(parseAddress(text)).toEqual(words);
  });

  test.each([
    '',
    '1.2.3',
    '0x7f.1',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4 ',
    '[::1]',
    ':::',
    'localhost',
    '1.2.3.4:80',
    '::ff%eth0ff:1.2.3.4',
  ])('%j is none', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  test('is written as RFC 5952 says, and read back', () => {
    expect(formatAddress(parseAddress('2001:0DB8:0:0:1:0:0:1')!)).toBe('2001:db8::1:0:0:1');
    expect(formatAddress(parseAddress('::ffff:10.0.0.1')!)).toBe('10.0.0.1');
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = parseAddress(text)!;
        expect(parseAddress(formatAddress(address))).toEqual(address);
      }),
    );
  });
});

describe('a prefix', () => {
  test.each([
    ['10.1.2.3/8', '10.0.0.0', '10.255.255.255'],
    ['10.1.2.3', '10.1.2.3', '10.1.2.3'],
    ['0.0.0.0/0', '0.0.0.0', '255.255.255.255'],
    ['2001:db8::/33', '2001:db8::', '2001:db8:7fff:ffff:ffff:ffff:ffff:ffff'],
    ['::ffff:10.0.0.0/104', '10.0.0.0', '10.255.255.255'],
  ])('%s is %s to %s', (text, first, last) => {
    expect(parsePrefix(text)).toEqual({ first: parseAddress(first), last: parseAddress(last) });
  });

  test.each([
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '/8',
    '::/129',
    '::ffff:10.0.0.0/8',
    '10.0.0.0/8/8',
    'x/8',
  ])('%j is none', (text) => {
    expect(parsePrefix(text)).toBeUndefined();
  });

  test('holds the addresses that another library says it holds', () => {
    const pair = fc.oneof(
      fc.tuple(fc.ipV4(), fc.ipV4(), fc.nat(32)),
      fc.tuple(fc.ipV6(), fc.ipV6(), fc.nat(128)),
    );
    fc.assert(
      fc.property(pair, ([text, other, bits]) => {
        const range: [ipaddr.IPv4 | ipaddr.IPv6, number] = [ipaddr.parse(text), bits];
        const prefix = parsePrefix(`${text}/${bits}`);
        fc.pre(prefix?.first.length === parseAddress(other)!.length);
        expect(isWithin(parseAddress(other)!, prefix!)).toBe(ipaddr.parse(other).match(range));
      }),
    );
  });

  test('holds no address of the other family', () => {
    expect(isWithin(parseAddress('::1')!, parsePrefix('0.0.0.0/0')!)).toBe(false);
  });
});
