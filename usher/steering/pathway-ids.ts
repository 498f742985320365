// Ids of pathways. One names a server, or a CDN and the server it pulls from, and proves that usher made it.

import type { Cdn } from '../../network/map/topology.ts';
import type { KnownServer } from '../../network/state/state.ts';

/** Where a pathway leads. */
export type Destination =
  | { readonly kind: 'server'; readonly server: KnownServer }
  | { readonly kind: 'cdn'; readonly cdn: Cdn; readonly shield: KnownServer };

/** Where the servers and CDNs of ids are looked up. */
export interface Directory {
  serverOf(id: string): KnownServer | undefined;
  readonly cdns: readonly Cdn[];
}

/** 36 bits: a player that tries names of servers does not come to one that it was not sent to. */
const PROOF_LENGTH = 6;
/** Tokens that expire in the same half day share ids; who gets a later token gets other ids. */
const HALF_DAY_MS = 43_200_000;
/** More than servers and CDNs have at a time; forgotten all together. */
const MAX_REMEMBERED = 20_000;

/**
 * A player never takes another address for an id that it knows, so an id holds the address and the half day in which the
 * viewer's token expires: what changes gets a new id. Ids are letters, digits, `.`, `-` and `_`, as server ids are.
 */
export class PathwayIds {
  readonly #sign: (text: string) => string;
  readonly #proofs = new Map<string, string>();

  /** `sign` gives text that nobody else can make. */
  constructor(sign: (text: string) => string) {
    this.#sign = sign;
  }

  of(destination: Destination, expiresAtMs: number): string {
    const halfDay = Math.floor(expiresAtMs / HALF_DAY_MS);
    if (destination.kind === 'server') {
      const { id, mediaUrl } = destination.server;
      return `${id}-${this.#proof(`server\n${id}\n${mediaUrl}\n${halfDay}`)}`;
    }
    const { cdn, shield } = destination;
    const proof = this.#proof(`cdn\n${cdn.name}\n${cdn.urlTemplate}\n${shield.id}\n${halfDay}`);
    return `cdn-${cdn.name}-${shield.id}-${proof}`;
  }

  /** Undefined for an id that usher did not make for a viewer whose token expires then, or that leads nowhere any more. */
  read(id: string, expiresAtMs: number, directory: Directory): Destination | undefined {
    const named = id.slice(0, -PROOF_LENGTH - 1);
    return candidates(named, directory).find((candidate) => this.of(candidate, expiresAtMs) === id);
  }

  #proof(text: string): string {
    const known = this.#proofs.get(text);
    if (known !== undefined) return known;
    if (this.#proofs.size >= MAX_REMEMBERED) this.#proofs.clear();
    const proof = this.#sign(text).slice(0, PROOF_LENGTH);
    this.#proofs.set(text, proof);
    return proof;
  }
}

/** Names may hold a `-` themselves, so several readings are possible. */
function candidates(named: string, directory: Directory): Destination[] {
  const server = directory.serverOf(named);
  const found: Destination[] = server ? [{ kind: 'server', server }] : [];
  for (const cdn of directory.cdns) {
    const prefix = `cdn-${cdn.name}-`;
    const shield = named.startsWith(prefix) ? directory.serverOf(named.slice(prefix.length)) : undefined;
    if (shield) found.push({ kind: 'cdn', cdn, shield });
  }
  return found;
}
