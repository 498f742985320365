// A line of a text that says which network (ASN) addresses are of, in the forms that such texts commonly have.

import { type AddressRange, compareAddresses, parseAddress, parsePrefix } from '../address.ts';

export interface Route {
  readonly range: AddressRange;
  /** 0: of nobody. */
  readonly asn: number;
}

const MAX_ASN = 4_294_967_295;

/**
 * Reads
 * - `192.0.2.0/24 64500`, as a router's table is brought into lines;
 * - `192.0.2.0 24 64500_64501`, CAIDA's prefix-to-AS: of several origins the first;
 * - `192.0.2.0,192.0.2.255,64500,...` and `192.0.2.0/24,64500,...`, tables with commas;
 * - `TABLE_DUMP2|...|192.0.2.0/24|64499 64500|...`, what `bgpdump -m` makes of a RouteViews or RIPE RIS table: the path's last.
 *
 * An empty line and one that begins with `#`, `;` or `%` are nothing.
 */
export function readRouteLine(line: string): Route | 'nothing' | 'bad' {
  if (/^\s*(?:[#;%]|$)/.test(line)) return 'nothing';
  const [range, asn] = fieldsOf(line);
  return range === undefined || asn === undefined ? 'bad' : { range, asn };
}

function fieldsOf(line: string): readonly [AddressRange | undefined, number | undefined] {
  if (/^[A-Z0-9_]+\|/.test(line)) {
    const fields = line.split('|');
    return [parsePrefix(fields[5] ?? ''), asnIn(/(\d+)\D*$/.exec(fields[6] ?? ''))];
  }
  const [first = '', second = '', third = ''] = line.split(/^[^\s]+,/.test(line) ? ',' : /\s+/, 3);
  if (third === '' || first.includes('/')) return [parsePrefix(first), firstAsnIn(second)];
  if (/^\d{1,3}$/.test(second)) return [parsePrefix(`${first}/${second}`), firstAsnIn(third)];
  return [rangeBetween(first, second), firstAsnIn(third)];
}

function rangeBetween(firstText: string, lastText: string): AddressRange | undefined {
  const first = parseAddress(firstText);
  const last = parseAddress(lastText);
  if (!first || !last || first.length !== last.length || compareAddresses(first, last) > 0) return undefined;
  return { first, last };
}

function firstAsnIn(field: string): number | undefined {
  return asnIn(/^"?(?:AS)?\{?(\d+)/i.exec(field));
}

function asnIn(match: RegExpExecArray | null): number | undefined {
  const asn = match ? Number(match[1]) : Number.NaN;
  return asn <= MAX_ASN ? asn : undefined;
}
