// Who is the origin of which stream: this server's claims in the cluster state, and the feed in which it goes on.

import { type Clock, sleep } from '../clock.ts';
import type { Feed } from '../feed/feed.ts';
import { SOURCE } from '../feed/feeds.ts';
import type { Holdings } from '../relay/holdings.ts';
import type { ClusterState, ServerIdentity, StreamRecord } from './state.ts';

export type Owned =
  | {
      readonly kind: 'claimed';
      /** Opens the stream's feed to append to: with what the last origin had given away, if any server still has it. */
      adopt(): Feed;
      /** What another origin had announced of the stream. */
      readonly before: StreamRecord | undefined;
    }
  | { readonly kind: 'held'; readonly by: string };

export interface OwnershipOptions {
  readonly state: Pick<ClusterState, 'claim'>;
  readonly server: ServerIdentity;
  readonly holdings: Holdings;
  readonly clock: Clock;
}

/** Less than a claim holds that is not announced yet; enough to find out that a silent origin is gone. */
const CATCH_UP_MS = 2_500;
const LOOK_MS = 50;

export class Ownership {
  readonly #options: OwnershipOptions;
  readonly #terms = new Map<string, number>();

  constructor(options: OwnershipOptions) {
    this.#options = options;
  }

  /** Makes this server the stream's origin. Rejects with `state_unavailable` while nobody can say whether it may. */
  async claim(stream: string, takeover: boolean): Promise<Owned> {
    const { state, server, holdings } = this.#options;
    const claim = await state.claim(stream, server, { takeover });
    if (claim.kind === 'held') return { kind: 'held', by: claim.by };
    const before = claim.before?.origin === server.id ? undefined : claim.before;
    if (before) await this.#catchUp(stream);
    this.#terms.set(stream, claim.term);
    return { kind: 'claimed', adopt: () => holdings.adopt(stream, SOURCE), before };
  }

  /** Adds to what an origin says of a broadcast whose it is. */
  stamp(broadcast: Omit<StreamRecord, 'origin' | 'term'>): StreamRecord {
    const term = this.#terms.get(broadcast.name) ?? 0;
    return { ...broadcast, origin: this.#options.server.id, term };
  }

  /** The broadcast is over, or another server's. */
  forget(stream: string): void {
    this.#terms.delete(stream);
  }

  /** Follows whoever has the stream until nothing more of the last origin's comes that way: numbers must not go back. */
  async #catchUp(stream: string): Promise<void> {
    const { holdings, clock } = this.#options;
    if (!(await holdings.demand(stream, SOURCE))) return;
    const holding = holdings.followed.find(({ name }) => name.stream === stream && name.rendition === SOURCE);
    if (!holding) return;
    const untilMs = clock.monotonic() + CATCH_UP_MS;
    const isDone = (): boolean => holding.isCaughtUp && !holding.relayed.lineage.isFed;
    while (!isDone() && clock.monotonic() < untilMs) await sleep(clock, LOOK_MS);
  }
}
