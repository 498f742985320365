// Counts connections, in all and by address, and says who may come in. No I/O.

import type { RtmpLimits } from './limits.ts';

export type Admission =
  | { readonly kind: 'admit'; release(): void }
  | { readonly kind: 'refuse'; readonly code: string; readonly reason: string };

export class RtmpAdmission {
  readonly #limits: RtmpLimits;
  readonly #byAddress = new Map<string, number>();
  #connections = 0;

  constructor(limits: RtmpLimits) {
    this.#limits = limits;
  }

  get connections(): number {
    return this.#connections;
  }

  admit(remoteAddress: string): Admission {
    const { connections, connectionsPerAddress } = this.#limits;
    if (this.#connections >= connections) {
      return { kind: 'refuse', code: 'rtmp_full', reason: `all ${connections} connections are taken` };
    }
    const network = networkOf(remoteAddress);
    const already = this.#byAddress.get(network) ?? 0;
    if (already >= connectionsPerAddress && network !== LOOPBACK) {
      const reason = `${network} has ${already} connections already`;
      return { kind: 'refuse', code: 'rtmp_address_full', reason };
    }
    this.#count(network, 1);
    return { kind: 'admit', release: () => this.#count(network, -1) };
  }

  #count(network: string, change: 1 | -1): void {
    this.#connections += change;
    const now = (this.#byAddress.get(network) ?? 0) + change;
    if (now === 0) this.#byAddress.delete(network);
    else this.#byAddress.set(network, now);
  }
}

/** An IPv4 address that came in over an IPv6 socket, written as IPv4. */
export function plainAddress(remoteAddress: string): string {
  return remoteAddress.replace(/^::ffff:(?=\d+\.)/i, '');
}

/**
 * Behind a TLS tunnel, a port forwarder or a container's proxy all broadcasters come from loopback, so it has no
 * limit of its own; somebody who can run programs on this machine has better ways to harm it.
 */
const LOOPBACK = 'loopback';

/** A subscriber has an IPv4 address, or a whole IPv6 /64. */
function networkOf(remoteAddress: string): string {
  if (remoteAddress === '::1' || remoteAddress.startsWith('127.')) return LOOPBACK;
  if (!remoteAddress.includes(':')) return remoteAddress;
  const [head = '', tail = ''] = remoteAddress.replace(/%.*$/, '').split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0');
  return `${[...front, ...zeros, ...back].slice(0, 4).join(':')}::/64`;
}
