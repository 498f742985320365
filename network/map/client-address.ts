// Where a request comes from: the connection, or what proxies say that are trusted. The door to forwarded-parse.

import parseForwarded from 'forwarded-parse';
import { type Address, type AddressRange, formatAddress, isWithin, parseAddress } from './address.ts';

/** A request as `node:http` has it. */
export interface Arrival {
  readonly remoteAddress: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * The address of the client, as RFC 5952 writes it; empty when the connection is gone. Each proxy adds at the right of `Forwarded` (RFC
 * 7239) or `X-Forwarded-For` whom it has its request from. So these are read from the right as long as who said it is trusted,
 * and what is left of that may be anybody's invention.
 */
export function clientAddress(
  { remoteAddress, headers }: Arrival,
  trustedProxies: readonly AddressRange[],
): string {
  const peer = parseAddress(remoteAddress ?? '');
  if (!peer) return '';
  const isTrusted = (address: Address): boolean => trustedProxies.some((range) => isWithin(address, range));
  if (!isTrusted(peer)) return formatAddress(peer);
  const [client, other] = [
    ...hopsOfForwarded(headers['forwarded']),
    ...hopsOfXForwardedFor(headers['x-forwarded-for']),
  ].map((hops) => formatAddress(lastUntrusted(hops, peer, isTrusted)));
  // Proxies write one header and may pass the other on as it came: two that do not agree tell nothing.
  return client === undefined || (other !== undefined && other !== client) ? formatAddress(peer) : client;
}

/** Whether an address, as a text, is one of a proxy. */
export function isTrusted(text: string, trustedProxies: readonly AddressRange[]): boolean {
  const address = parseAddress(text);
  return address !== undefined && trustedProxies.some((range) => isWithin(address, range));
}

function lastUntrusted(
  hops: readonly string[],
  peer: Address,
  isTrusted: (address: Address) => boolean,
): Address {
  let client = peer;
  for (const hop of hops.toReversed()) {
    const address = addressOf(hop);
    if (address) client = address;
    if (!address || !isTrusted(address)) break;
  }
  return client;
}

/** At most one list. */
function hopsOfForwarded(header: string | string[] | undefined): readonly string[][] {
  if (header === undefined) return [];
  try {
    return [parseForwarded([header].flat().join(',')).map((element) => element['for'] ?? '')];
  } catch {
    return [[]];
  }
}

function hopsOfXForwardedFor(header: string | string[] | undefined): readonly string[][] {
  return header === undefined ? [] : [[header].flat().join(',').split(',')];
}

/** RFC 7239 6: an IPv6 address in brackets, maybe a port, or a word for what is not told. X-Forwarded-For has no standard. */
function addressOf(hop: string): Address | undefined {
  const [, bracketed, withPort] = /^\[([^\]]*)\](?::[\w.-]+)?$|^([\d.]+):[\w.-]+$/.exec(hop.trim()) ?? [];
  return parseAddress(bracketed ?? withPort ?? hop.trim());
}
