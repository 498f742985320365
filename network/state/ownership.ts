// Who is the origin of which stream: a server's claim in the cluster state, and the feed in which it goes on.

import { type Clock, sleep } from '../clock.ts';
import type { Feed } from '../feed/feed.ts';
import { SOURCE } from '../feed/feeds.ts';
import type { Holdings } from '../relay/holdings.ts';
import type { PastStream, ServerIdentity, ServerState } from './state.ts';

export type Owned =
  | {
      readonly kind: 'claimed';
      readonly term: number;
      /** Opens the stream's feed to append to: with what the last origin had given away, if any server still has it. */
      adopt(): Feed;
      /** What the last origin had announced of the stream. */
      readonly before: PastStream | undefined;
    }
  | { readonly kind: 'held'; readonly by: string };

export interface OwnershipOptions {
  readonly state: Pick<ServerState, 'claim'>;
  readonly server: ServerIdentity;
  readonly holdings: Pick<Holdings, 'demand' | 'followed' | 'adopt'>;
  readonly clock: Clock;
}

/** Less than a claim holds that is not announced yet; enough to find out that a silent origin is gone. */
const CATCH_UP_MS = 2_500;
const LOOK_MS = 50;

/** Makes this server the stream's origin. Rejects with `state_unavailable` while nobody can say whether it may. */
export async function claimStream(
  stream: string,
  takeover: boolean,
  options: OwnershipOptions,
): Promise<Owned> {
  const { state, server, holdings } = options;
  const claim = await state.claim(stream, server, { takeover });
  if (claim.kind === 'held') return { kind: 'held', by: claim.by };
  const { term, before } = claim;
  if (before && !before.isOver) await catchUp(stream, options);
  return { kind: 'claimed', term, adopt: () => holdings.adopt(stream, SOURCE), before };
}

/** Follows whoever has the stream until nothing more of the last origin's comes that way: numbers must not go back. */
async function catchUp(stream: string, { holdings, clock }: OwnershipOptions): Promise<void> {
  if (!(await holdings.demand(stream, SOURCE))) return;
  const holding = holdings.followed.find(({ name }) => name.stream === stream && name.rendition === SOURCE);
  if (!holding) return;
  const untilMs = clock.monotonic() + CATCH_UP_MS;
  const isDone = (): boolean => holding.isCaughtUp && !holding.relayed.lineage.isFed;
  while (!isDone() && clock.monotonic() < untilMs) await sleep(clock, LOOK_MS);
}
