// Who is the origin of which stream: a server's claim in the cluster state, and the feed in which it goes on.

import { type Clock, sleep } from '../clock.ts';
import type { Feed } from '../feed/feed.ts';
import { SOURCE } from '../feed/feeds.ts';
import type { Probe } from '../http/dial.ts';
import type { Holdings } from '../relay/holdings.ts';
import type { FeedName } from '../relay/request.ts';
import { BEAT_MS, MISSED_BEATS } from './liveness.ts';
import type { Claim, PastStream, ServerIdentity, ServerState } from './state.ts';

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
  readonly state: Pick<ServerState, 'claim' | 'find'>;
  readonly server: ServerIdentity;
  readonly holdings: Pick<Holdings, 'demand' | 'followed' | 'writes' | 'adopt'>;
  readonly probe: Probe;
  readonly clock: Clock;
}

/** How long a broadcaster waits for a silent server to be known as dead. */
const SILENT_MS = BEAT_MS * (MISSED_BEATS + 1);
const PROBE_MS = 1_000;
const RETRY_MS = 200;
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
  const first = await state.claim(stream, server, { takeover });
  const claim = first.kind === 'held' ? await claimFrom(first, stream, options) : first;
  if (claim.kind === 'held') return { kind: 'held', by: claim.by };
  const { term, before } = claim;
  if (before && !before.isOver) await catchUp({ stream, rendition: SOURCE }, options);
  return { kind: 'claimed', term, adopt: () => holdings.adopt(stream, SOURCE), before };
}

type Held = Claim & { readonly kind: 'held' };

/**
 * What another server holds is free for a broadcaster if that server waits for one itself, or if its process is gone. Whether
 * one that is silent is gone shows when it has missed its beats: until then the broadcaster waits.
 */
async function claimFrom(last: Held, stream: string, options: OwnershipOptions): Promise<Claim> {
  const { state, server, clock } = options;
  const untilMs = clock.monotonic() + SILENT_MS;
  for (let held = last; ; ) {
    const hold = await holdOf(held.by, stream, options);
    if (hold === 'firm' || clock.monotonic() >= untilMs) return held;
    if (hold === 'unknown') await sleep(clock, RETRY_MS);
    const claim = await state.claim(stream, server, { takeover: hold === 'void' });
    if (claim.kind === 'claimed') return claim;
    held = claim;
  }
}

async function holdOf(
  by: string,
  stream: string,
  options: OwnershipOptions,
): Promise<'firm' | 'void' | 'unknown'> {
  const whereabouts = await options.state.find(stream);
  const holder = whereabouts?.holders.find(({ id }) => id === by);
  if (!whereabouts || !holder) return 'unknown';
  if (!whereabouts.stream.live) return 'void';
  const health = await options.probe(`${holder.relayUrl}/healthz`, PROBE_MS);
  // Only the machine of a server that is gone says that nobody listens there.
  return health === 'answers' ? 'firm' : health === 'refused' ? 'void' : 'unknown';
}

export interface CatchUpOptions extends Pick<OwnershipOptions, 'clock'> {
  readonly holdings: Pick<Holdings, 'demand' | 'followed' | 'writes'>;
  /** How long who writes it yet may go on; by default less than a claim holds. One that falls silent is not waited for. */
  readonly patienceMs?: number;
  /** Learns that somebody writes it yet, and is waited for. */
  readonly onFed?: () => void;
}

/** Follows whoever has a rendition until nothing more of who wrote it last comes that way: numbers must not go back. */
export async function catchUp(
  { stream, rendition }: FeedName,
  { holdings, clock, patienceMs = CATCH_UP_MS, onFed }: CatchUpOptions,
): Promise<void> {
  // Its own feed may be one that has yet to begin, for which a broadcaster who comes back would be kept waiting.
  if (holdings.writes(stream, rendition) || !(await holdings.demand(stream, rendition))) return;
  const holding = holdings.followed.find(
    ({ name }) => name.stream === stream && name.rendition === rendition,
  );
  if (!holding) return;
  const startedAtMs = clock.monotonic();
  const isFed = (): boolean => holding.relayed.lineage.isFed;
  const isDone = (): boolean => holding.isAlone || (holding.isCaughtUp && !isFed());
  const leftMs = (): number => startedAtMs + (isFed() ? patienceMs : CATCH_UP_MS) - clock.monotonic();
  let isTold = false;
  while (!isDone() && leftMs() > 0) {
    if (isFed() && !isTold) onFed?.();
    isTold ||= isFed();
    await sleep(clock, LOOK_MS);
  }
}
