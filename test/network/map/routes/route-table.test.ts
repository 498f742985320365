import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AddressRange, isWithin, parseAddress, parsePrefix } from '../../../../network/map/address.ts';
import { RouteRows } from '../../../../network/map/routes/route-rows.ts';
import { buildRouteTable, type RouteTable } from '../../../../network/map/routes/route-table.ts';

type Route = readonly [range: AddressRange, asn: number];

function tableOf(words: 1 | 4, routes: readonly Route[]): RouteTable {
  const rows = new RouteRows(words);
  for (const [range, asn] of routes) rows.add(range, asn);
  return buildRouteTable(rows);
}

const prefixes = (...lines: readonly string[]): Route[] =>
  lines.map((line) => [parsePrefix(line.split(' ')[0]!)!, Number(line.split(' ')[1])]);

describe('a route table', () => {
  test.each([
    ['1.1.2.3', 30],
    ['1.1.3.0', 20],
    ['1.1.1.255', 20],
    ['1.2.0.0', 10],
    ['2.0.0.0', 0],
    ['0.255.255.255', 0],
    ['255.255.255.255', 50],
  ])('knows %s by its longest prefix, %i', (address, asn) => {
    const table = tableOf(
      1,
      prefixes('1.1.2.0/24 30', '1.0.0.0/8 10', '255.255.255.254/31 50', '1.1.0.0/16 20'),
    );
    expect(table.lookup(parseAddress(address)!)).toBe(asn);
  });

  test.each([
    ['2001:db8:1:ffff:ffff:ffff:ffff:ffff', 2],
    ['2001:db8:2::', 1],
    ['2001:db7:ffff::', 9],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 9],
    ['::', 9],
  ])('knows %s by its longest prefix, %i', (address, asn) => {
    const table = tableOf(4, prefixes('::/0 9', '2001:db8::/32 1', '2001:db8:1::/48 2'));
    expect(table.lookup(parseAddress(address)!)).toBe(asn);
  });

  test('takes no more room for neighbours of one network', () => {
    const halves = tableOf(1, prefixes('10.0.0.0/9 7', '10.128.0.0/9 7'));
    expect(halves.columns).toEqual(tableOf(1, prefixes('10.0.0.0/8 7')).columns);
  });

  test('without routes knows nobody', () => {
    expect(tableOf(1, []).lookup([0])).toBe(0);
  });

  test.each([1, 4] as const)('of any prefixes of %i words says what trying each says', (words) => {
    fc.assert(
      fc.property(
        fc.array(route(words), { maxLength: 40 }),
        fc.array(address(words), { minLength: 1 }),
        (routes, addresses) => {
          const table = tableOf(words, routes);
          const ends = routes.flatMap(([{ first, last }]) => [first, last]);
          for (const each of [...addresses, ...ends]) expect(table.lookup(each)).toBe(naive(routes, each));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('of ranges that overlap says what began last, as long as that lasts', () => {
    const table = tableOf(1, [
      [{ first: [10], last: [20] }, 1],
      [{ first: [15], last: [30] }, 2],
    ]);
    expect([9, 10, 14, 15, 20, 21, 30, 31].map((word) => table.lookup([word]))).toEqual([
      0, 1, 1, 2, 2, 2, 2, 0,
    ]);
  });
});

/** Few different words, so that prefixes lie inside of one another. */
function address(words: number): fc.Arbitrary<number[]> {
  const word = fc.oneof(fc.constantFrom(0, 1, 2, 3, 0x8000_0000, 0xffff_ffff), fc.nat(0xffff_ffff));
  return fc.array(word, { minLength: words, maxLength: words });
}

function route(words: number): fc.Arbitrary<Route> {
  return fc
    .tuple(address(words), fc.nat(words * 32), fc.nat(5))
    .map(([each, bits, asn]) => [parsePrefix(`${textOf(each)}/${bits}`)!, asn] as const);
}

function textOf(each: readonly number[]): string {
  const parts = each.flatMap((word) => [word >>> 16, word & 0xffff]);
  if (parts.length > 2) return parts.map((part) => part.toString(16)).join(':');
  return parts.flatMap((part) => [part >>> 8, part & 255]).join('.');
}

/** The smallest range that holds it; of equal ones the last. */
function naive(routes: readonly Route[], each: readonly number[]): number {
  const sizeOf = ({ first, last }: AddressRange): bigint => bigOf(last) - bigOf(first);
  return (
    routes
      .filter(([range]) => isWithin(each, range))
      .reduce<Route | undefined>(
        (best, one) => (best && sizeOf(best[0]) < sizeOf(one[0]) ? best : one),
        undefined,
      )?.[1] ?? 0
  );
}

function bigOf(each: readonly number[]): bigint {
  return each.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n);
}
