// Ids of pathways. One names a server, or a CDN and the server it pulls from, and proves that usher made it.

import { equalSecrets } from '../../network/hash.ts';
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

/** Gives text that nobody else can make. */
export type Sign = (text: string) => string;

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
  readonly #signs: readonly Sign[];
  readonly #proofs: readonly Map<string, string>[];

  /** Of each secret: the first makes ids, and those of all are read, so that a cluster can change its secret while it runs. */
  constructor(signs: readonly Sign[]) {
    this.#signs = signs;
    this.#proofs = signs.map(() => new Map());
  }

  of(destination: Destination, expiresAtMs: number): string {
    return this.#idOf(destination, expiresAtMs, 0);
  }

  /** Undefined for an id that usher did not make for a viewer whose token expires then, or that leads nowhere any more. */
  read(id: string, expiresAtMs: number, directory: Directory): Destination | undefined {
    const named = id.slice(0, -PROOF_LENGTH - 1);
    return candidates(named, directory).find((candidate) =>
      this.#signs.some((_, secret) => equalSecrets(this.#idOf(candidate, expiresAtMs, secret), id)),
    );
  }

  #idOf(destination: Destination, expiresAtMs: number, secret: number): string {
    const halfDay = Math.floor(expiresAtMs / HALF_DAY_MS);
    if (destination.kind === 'server') {
      const { id, mediaUrl } = destination.server;
      return `${id}-${this.#proof(`server\n${id}\n${mediaUrl}\n${halfDay}`, secret)}`;
    }
    const { cdn, shield } = destination;
    const proof = this.#proof(`cdn\n${cdn.name}\n${cdn.urlTemplate}\n${shield.id}\n${halfDay}`, secret);
    return `cdn-${cdn.name}-${shield.id}-${proof}`;
  }

  #proof(text: string, secret: number): string {
    const proofs = this.#proofs[secret]!;
    const known = proofs.get(text);
    if (known !== undefined) return known;
    if (proofs.size >= MAX_REMEMBERED) proofs.clear();
    const proof = this.#signs[secret]!(text).slice(0, PROOF_LENGTH);
    proofs.set(text, proof);
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
