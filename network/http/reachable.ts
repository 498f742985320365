// URLs of servers as somebody outside can use them.

import type { Exchange } from './exchange.ts';

const EVERY_ADDRESS = ['0.0.0.0', '[::]'];

/** A server that listens on every address is reached at the name by which usher was asked. Without a slash at its end. */
export function reachableUrl(given: string, exchange: Exchange): string {
  const url = new URL(given);
  if (!EVERY_ADDRESS.includes(url.hostname)) return given.replace(/\/$/, '');
  url.hostname = hostOf(exchange);
  return url.href.replace(/\/$/, '');
}

/** What a server says of itself where the configuration says nothing: addresses at which it answers on this machine. */
export function addressesOf(given: Given, ports: Ports): Addresses {
  const host = hostIn(given.bind);
  const here = reachableHere(given.bind);
  const scheme = given.tls ? 'https' : 'http';
  const relay = given.relayTls ? `https://${here}:${ports.relay}` : `${scheme}://${here}:${ports.media}`;
  return {
    mediaUrl: given.mediaUrl ?? `${scheme}://${host}:${ports.media}`,
    relayUrl: given.relayUrl ?? relay,
    rtmpUrl: given.rtmpUrl ?? `rtmp://${host}:${ports.rtmp}/live`,
  };
}

interface Given extends Partial<Record<keyof Addresses, string | undefined>> {
  readonly bind: string;
  readonly tls?: object | undefined;
  readonly relayTls?: object | undefined;
}

interface Ports {
  readonly media: number;
  /** Servers' own; used with `relayTls`. */
  readonly relay: number;
  readonly rtmp: number;
}

export interface Addresses {
  readonly mediaUrl: string;
  readonly relayUrl: string;
  readonly rtmpUrl: string;
}

/** An address of this machine at which something bound to `address` answers. */
export function reachableHere(address: string): string {
  return address === '0.0.0.0' || address === '::' ? '127.0.0.1' : hostIn(address);
}

/** An address as the host of a URL. */
export function hostIn(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

function hostOf(exchange: Exchange): string {
  const host = URL.parse(`http://${exchange.request.headers.host ?? ''}`)?.hostname;
  return host || '127.0.0.1';
}
