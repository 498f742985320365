// What follows from where a stream is: whom to follow without a plan, and where its broadcaster may go on. Pure.

import { SOURCE } from '../feed/feeds.ts';
import type { KnownServer, Parent, Whereabouts } from './state.ts';

/** Whom to follow without a plan: the origin of the source, then whoever has come furthest. Undefined when nobody knows the stream. */
export function parentsIn(whereabouts: Whereabouts | undefined, rendition: string): Parent[] | undefined {
  if (!whereabouts) return undefined;
  const { stream, holders } = whereabouts;
  const heldBy = ({ holdings }: KnownServer) =>
    holdings.find((held) => held.stream === stream.name && held.rendition === rendition);
  const furthest = holders.filter(heldBy).sort((one, other) => heldBy(other)!.next - heldBy(one)!.next);
  // The first of the holders is the origin if there is one, although it may not have a chunk yet.
  const [origin] = rendition === SOURCE ? holders : [];
  const others = furthest.filter((holder) => holder !== origin);
  return (origin ? [origin, ...others] : others).map(({ id, relayUrl }) => ({ id, relayUrl }));
}

/** Names of the renditions of a stream that somebody has, its source among them. */
export function renditionsIn(whereabouts: Whereabouts | undefined): string[] {
  if (!whereabouts) return [];
  const { stream, holders } = whereabouts;
  const held = holders.flatMap(({ holdings }) => holdings.filter((each) => each.stream === stream.name));
  return [...new Set(held.map(({ rendition }) => rendition))];
}

/** Where a broadcaster may go on: the holder of its stream that takes broadcasts, one that is not being emptied itself. */
export function originFor(whereabouts: Whereabouts | undefined, ownId: string): string | undefined {
  const isOpen = ({ id, roles, drain }: KnownServer): boolean =>
    id !== ownId && roles.includes('origin') && drain === null;
  return whereabouts?.holders.find(isOpen)?.rtmpUrl;
}
