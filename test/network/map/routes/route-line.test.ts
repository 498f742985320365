import { describe, expect, test } from 'vitest';
import { parseAddress, parsePrefix } from '../../../../network/map/address.ts';
import { readRouteLine } from '../../../../network/map/routes/route-line.ts';

const NET = parsePrefix('192.0.2.0/24');
const NET6 = parsePrefix('2001:db8::/32');

describe('a line of a route table', () => {
  test.each([
    ['192.0.2.0/24 64500', NET, 64500],
    ['192.0.2.0/24\tAS64500\r', NET, 64500],
    ['2001:db8::/32 4200000000', NET6, 4_200_000_000],
    ['192.0.2.1 64500', parsePrefix('192.0.2.1/32'), 64500],
    ['192.0.2.0/24 0', NET, 0],
    ['192.0.2.0\t24\t64500', NET, 64500],
    ['192.0.2.0\t24\t64500_64501', NET, 64500],
    ['192.0.2.0\t24\t64500,64501_64502', NET, 64500],
    ['2001:db8::\t32\t64500', NET6, 64500],
    ['192.0.2.0,192.0.2.255,64500,"Example, Inc."', NET, 64500],
    [
      '192.0.2.5,192.0.2.9,64500',
      { first: parseAddress('192.0.2.5'), last: parseAddress('192.0.2.9') },
      64500,
    ],
    ['2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,64500,Example', NET6, 64500],
    ['192.0.2.0,192.0.2.255,64500,ONE | TWO', NET, 64500],
    ['192.0.2.0/24,64500,"Example, Inc."', NET, 64500],
    [
      'TABLE_DUMP2|1700000000|B|198.51.100.1|64499|192.0.2.0/24|64499 64498 64500|IGP|198.51.100.1|0|0||NAG||',
      NET,
      64500,
    ],
    [
      'TABLE_DUMP2|1700000000|B|2001:db8:1::1|64499|2001:db8::/32|64499 {64500}|IGP|2001:db8:1::1|0|0||NAG||',
      NET6,
      64500,
    ],
  ])('%j is read', (line, range, asn) => {
    expect(readRouteLine(line)).toEqual({ range, asn });
  });

  test.each(['', '   ', '# prefix asn', '; comment', '% comment'])('%j is nothing', (line) => {
    expect(readRouteLine(line)).toBe('nothing');
  });

  test.each([
    'network,autonomous_system_number',
    '192.0.2.0/24',
    '192.0.2.0/33 64500',
    '192.0.2.0/24 4294967296',
    '192.0.2.0/24 Example',
    '192.0.2.9,192.0.2.5,64500',
    '192.0.2.9,2001:db8::,64500',
    'TABLE_DUMP2|1700000000',
    '*> 192.0.2.0/24 198.51.100.1 0 64499 i',
    '\u0000\u0001',
  ])('%j is bad', (line) => {
    expect(readRouteLine(line)).toBe('bad');
  });
});
