// Counts connections, in all and by address, and says who may come in. No I/O.

/**
 * Connections that the kernel may complete before the process gets to them: as many as `net.core.somaxconn` allows, which it goes
 * by where that is less. Node's own 511 are overflowed by a crowd during one slow turn of the event loop.
 */
export const LISTEN_BACKLOG = 65_535;

export interface ConnectionLimits {
  readonly connections: number;
  /** From one IPv4 address or one IPv6 /64. */
  readonly connectionsPerAddress: number;
}

export type Admission =
  | { readonly kind: 'admit'; release(): void }
  | { readonly kind: 'refuse'; readonly why: 'full' | 'address_full'; readonly reason: string };

export class ConnectionLimit {
  readonly #limits: ConnectionLimits;
  readonly #isExempt: (address: string) => boolean;
  readonly #byAddress = new Map<string, number>();
  #connections = 0;

  /** Addresses by way of which many come, as a proxy's, may be exempt from the limit for one; loopback is. */
  constructor(limits: ConnectionLimits, isExempt: (address: string) => boolean = () => false) {
    this.#limits = limits;
    this.#isExempt = isExempt;
  }

  get connections(): number {
    return this.#connections;
  }

  admit(address: string): Admission {
    const { connections, connectionsPerAddress } = this.#limits;
    if (this.#connections >= connections) {
      return { kind: 'refuse', why: 'full', reason: `all ${connections} connections are taken` };
    }
    const network = networkOf(address);
    const already = this.#byAddress.get(network) ?? 0;
    if (already >= connectionsPerAddress && network !== LOOPBACK && !this.#isExempt(address)) {
      const reason = `${network} has ${already} connections already`;
      return { kind: 'refuse', why: 'address_full', reason };
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
 * Behind a TLS tunnel, a port forwarder or a container's proxy everybody comes from loopback, so it has no limit of its own;
 * somebody who can run programs on this machine has better ways to harm it.
 */
export const LOOPBACK = 'loopback';

/** A subscriber has an IPv4 address, or a whole IPv6 /64. */
export function networkOf(address: string): string {
  if (address === '::1' || address.startsWith('127.')) return LOOPBACK;
  if (!address.includes(':')) return address;
  const [head = '', tail = ''] = address.replace(/%.*$/, '').split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0');
  return `${[...front, ...zeros, ...back].slice(0, 4).join(':')}::/64`;
}
