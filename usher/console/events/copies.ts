// Copies that lost the server they came from between two looks, and went on from another without being told to. Pure.

import type { Holding, KnownServer, Snapshot } from '../../../network/state/state.ts';
import { findStream } from '../../placement/scene/streams.ts';
import type { Look } from '../figures/look.ts';
import type { Happening } from '../messages.ts';

/** Names that an event gives as examples. */
const MAX_STREAMS = 5;

interface Loss {
  copies: number;
  readonly streams: Set<string>;
}

/** By the server that was lost. A copy whose parent the plan changed was moved, and lost nothing. */
export function copyHappenings({ snapshot: before }: Look, { snapshot: after }: Look): Happening[] {
  const old = new Map(before.servers.map((server) => [server.id, server]));
  const losses = new Map<string, Loss>();
  for (const server of after.servers) {
    const was = old.get(server.id);
    if (was?.instance !== server.instance) continue;
    for (const { stream, parent } of lostParents(was, server, before, after)) {
      if (!findStream(after, stream)?.live) continue;
      const loss = losses.getOrInsertComputed(parent, () => ({ copies: 0, streams: new Set() }));
      loss.copies += 1;
      if (loss.streams.size < MAX_STREAMS) loss.streams.add(stream);
    }
  }
  return [...losses].map(([server, { copies, streams }]) => ({
    kind: 'parents-changed',
    server,
    copies,
    streams: [...streams],
  }));
}

interface Lost {
  readonly stream: string;
  readonly parent: string;
}

function lostParents(was: KnownServer, is: KnownServer, before: Snapshot, after: Snapshot): Lost[] {
  const found: Lost[] = [];
  for (const [at, holding] of is.holdings.entries()) {
    const { stream, rendition, parent: now } = holding;
    const parent = sameHolding(was, holding, at)?.parent ?? null;
    if (parent === null || parent === now) continue;
    const isUnasked = [before, after].every(
      ({ plan }) => plannedParent(plan, is.id, stream, rendition) === parent,
    );
    if (isUnasked) found.push({ stream, parent });
  }
  return found;
}

/** Mostly at the same place in the list. */
function sameHolding({ holdings }: KnownServer, { stream, rendition }: Holding, at: number) {
  const isSame = (other: Holding | undefined): boolean =>
    other?.stream === stream && other.rendition === rendition;
  return isSame(holdings[at]) ? holdings[at] : holdings.find(isSame);
}

function plannedParent(
  plan: Snapshot['plan'],
  id: string,
  stream: string,
  rendition: string,
): string | undefined {
  if (!Object.hasOwn(plan, id)) return undefined;
  const follow = plan[id]!.follows.find((each) => each.stream === stream && each.rendition === rendition);
  return follow?.parents[0]?.id;
}
