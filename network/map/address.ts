// IP addresses as numbers. The door to ipaddr.js.

import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Words of 32 bits, the highest first: one of an IPv4 address, four of an IPv6 address. */
export type Address = readonly number[];

/** Addresses of one family, both ends included. */
export interface AddressRange {
  readonly first: Address;
  readonly last: Address;
}

/** Undefined when it is none. An IPv4 address inside of an IPv6 address (`::ffff:192.0.2.1`) is that IPv4 address. */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return wordsOf(ipaddr.IPv4.parse(text));
  // Node takes any zone behind a `%`, and the library only some.
  if (!isIPv6(text) || !ipaddr.IPv6.isValid(text)) return undefined;
  const address = ipaddr.IPv6.parse(text);
  return wordsOf(address.isIPv4MappedAddress() ? address.toIPv4Address() : address);
}

/** As RFC 5952 writes it. */
export function formatAddress(address: Address): string {
  const bytes = address.flatMap((word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]);
  const parsed = ipaddr.fromByteArray(bytes);
  return parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString();
}

/** `address/bits`, or an address, which is a range of its own. Bits below the prefix may be set. Undefined when it is none. */
export function parsePrefix(text: string): AddressRange | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return prefixOf(text, undefined);
  const bits = text.slice(slash + 1);
  return /^\d{1,3}$/.test(bits) ? prefixOf(text.slice(0, slash), Number(bits)) : undefined;
}

export function compareAddresses(one: Address, other: Address): number {
  for (let index = 0; index < one.length; index++)
    if (one[index] !== other[index]) return one[index]! - other[index]!;
  return 0;
}

export function isWithin(address: Address, { first, last }: AddressRange): boolean {
  if (address.length !== first.length) return false;
  return compareAddresses(address, first) >= 0 && compareAddresses(address, last) <= 0;
}

function wordsOf(address: ipaddr.IPv4 | ipaddr.IPv6): Address {
  if (address instanceof ipaddr.IPv4) {
    const [a, b, c, d] = address.octets as [number, number, number, number];
    return [((a << 24) | (b << 16) | (c << 8) | d) >>> 0];
  }
  const { parts } = address;
  return [0, 2, 4, 6].map((index) => ((parts[index]! << 16) | parts[index + 1]!) >>> 0);
}

function prefixOf(text: string, bits: number | undefined): AddressRange | undefined {
  const address = parseAddress(text);
  if (!address) return undefined;
  const size = address.length * 32;
  const mapped = size === 32 && text.includes(':') ? 96 : 0;
  const kept = bits === undefined ? size : bits - mapped;
  if (kept < 0 || kept > size) return undefined;
  const below = address.map((_, index) => bitsBelow(kept - index * 32));
  return {
    first: address.map((word, index) => (word & ~below[index]!) >>> 0),
    last: address.map((word, index) => (word | below[index]!) >>> 0),
  };
}

/** A word whose bits behind the first `kept` are set. */
function bitsBelow(kept: number): number {
  if (kept <= 0) return 0xffff_ffff;
  return kept >= 32 ? 0 : 0xffff_ffff >>> kept;
}
