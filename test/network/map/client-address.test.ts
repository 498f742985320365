import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePrefix } from '../../../network/map/address.ts';
import { clientAddress } from '../../../network/map/client-address.ts';

const trusted = ['10.0.0.0/8', '2001:db8:ffff::/48'].map((text) => parsePrefix(text)!);
const from = (remoteAddress: string | undefined, headers: Record<string, string> = {}): string =>
  clientAddress({ remoteAddress, headers }, trusted);

describe('the address of a client', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:DB8::0:1', '2001:db8::1'],
    ['10.0.0.1', '10.0.0.1'],
  ])('of a connection from %s without headers is %s', (remote, client) => {
    expect(from(remote)).toBe(client);
  });

  test('of a connection that is gone is not known', () => {
    expect(from(undefined)).toBe('');
  });

  test('is not what somebody says who is not trusted', () => {
    const headers = { forwarded: 'for=198.51.100.1', 'x-forwarded-for': '198.51.100.1' };
    expect(from('192.0.2.1', headers)).toBe('192.0.2.1');
    expect(clientAddress({ remoteAddress: '10.0.0.1', headers }, [])).toBe('10.0.0.1');
  });

  test.each([
    ['198.51.100.7', '198.51.100.7'],
    ['203.0.113.9, 198.51.100.7', '198.51.100.7'],
    ['203.0.113.9, 198.51.100.7, 10.0.0.2', '198.51.100.7'],
    ['203.0.113.9,198.51.100.7,2001:db8:ffff::1', '198.51.100.7'],
    ['10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['198.51.100.7:4711', '198.51.100.7'],
    ['2001:db8::7', '2001:db8::7'],
    ['[2001:db8::7]:4711', '2001:db8::7'],
    ['::ffff:198.51.100.7', '198.51.100.7'],
    ['198.51.100.7, unknown', '10.0.0.1'],
    ['198.51.100.7, unknown, 10.0.0.2', '10.0.0.2'],
    ['', '10.0.0.1'],
    [',,,', '10.0.0.1'],
    ['<script>', '10.0.0.1'],
  ])('by X-Forwarded-For %j of a trusted proxy is %s', (header, client) => {
    expect(from('10.0.0.1', { 'x-forwarded-for': header })).toBe(client);
    expect(from('::ffff:10.0.0.1', { 'x-forwarded-for': header })).toBe(client);
  });

  test.each([
    ['for=198.51.100.7', '198.51.100.7'],
    ['For="[2001:db8:cafe::17]:4711"', '2001:db8:cafe::17'],
    ['for=203.0.113.9, for=198.51.100.7;proto=http;by=203.0.113.43', '198.51.100.7'],
    ['for=198.51.100.7, for=10.0.0.2', '198.51.100.7'],
    ['for="198.51.100.7:47011"', '198.51.100.7'],
    ['for="198.51.100.7:_port"', '198.51.100.7'],
    ['for=198.51.100.7, for=unknown', '10.0.0.1'],
    ['for=198.51.100.7, for="_hidden"', '10.0.0.1'],
    ['for=198.51.100.7, proto=https', '10.0.0.1'],
    ['for=198.51.100.7, for="', '10.0.0.1'],
    ['', '10.0.0.1'],
  ])('by Forwarded %j of a trusted proxy is %s', (header, client) => {
    expect(from('10.0.0.1', { forwarded: header })).toBe(client);
  });

  test('is that of the proxy when its two headers tell of two clients, for one of them may be passed on as it came', () => {
    const headers = { forwarded: 'for=203.0.113.9', 'x-forwarded-for': '198.51.100.7' };
    expect(from('10.0.0.1', headers)).toBe('10.0.0.1');
    expect(from('10.0.0.1', { ...headers, forwarded: 'for=198.51.100.7' })).toBe('198.51.100.7');
  });

  test('is found in whatever the headers say, and is always an address', () => {
    const list = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string())).map(String),
    );
    fc.assert(
      fc.property(list, list, (forwarded, xff) => {
        const client = from('10.0.0.1', { forwarded, 'x-forwarded-for': xff });
        expect(parsePrefix(client)).toBeDefined();
      }),
      { numRuns: 50 },
    );
  });
});
