// Drains as text: since when each server is being emptied, until when, and what is left on it. Pure.

import { isAlive } from '../../network/state/liveness.ts';
import type { Drain, KnownServer, Snapshot } from '../../network/state/state.ts';
import { durationText } from './durations.ts';

/** A line for each server that is being emptied, or is to be. */
export function drainTexts(snapshot: Snapshot): string[] {
  return snapshot.servers.flatMap((server) => {
    const wished = Object.hasOwn(snapshot.drains, server.id) ? snapshot.drains[server.id] : undefined;
    const drain = server.drain ?? wished;
    return drain ? [drainText(snapshot, server, drain)] : [];
  });
}

function drainText(snapshot: Snapshot, server: KnownServer, drain: Drain): string {
  const { nowMs } = snapshot;
  const words = [
    `${server.id} drains for ${durationText(nowMs - drain.sinceMs)}`,
    !server.drain && 'has not heard of it yet',
    server.drain && !server.drain.wished && 'its process was told to end',
    drain.deadlineMs !== null && deadlineText(drain.deadlineMs - nowMs),
    isAlive(server.beatAtMs, snapshot) ? leftText(snapshot, server) : 'dead',
  ];
  return words.filter((word) => word).join(', ');
}

function deadlineText(leftMs: number): string {
  return leftMs > 0
    ? `ends broadcasts in ${durationText(leftMs)}`
    : `past its deadline for ${durationText(-leftMs)}`;
}

function leftText({ streams, plan }: Snapshot, { id, holdings }: KnownServer): string {
  const viewers = holdings.reduce((sum, held) => sum + held.viewers, 0);
  const broadcasts = streams.filter(({ origin, live }) => origin === id && live).length;
  const follows = Object.values(plan).flatMap((assignment) => assignment.follows);
  const copies = follows.filter(({ parents }) => parents[0]?.id === id).length;
  const left = [count(viewers, 'viewer'), count(broadcasts, 'broadcast'), count(copies, 'copy')];
  const words = left.filter((word) => word !== undefined);
  return words.length === 0 ? 'empty' : `left: ${words.join(', ')}`;
}

function count(number: number, noun: string): string | undefined {
  if (number === 0) return undefined;
  const plural = noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`;
  return `${number} ${number === 1 ? noun : plural}`;
}
