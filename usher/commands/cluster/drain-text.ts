// Drains as text: since when each server is being emptied, until when, and what is left on it. Pure.

import { durationText } from '../../../network/command/durations.ts';
import { isAlive } from '../../../network/state/liveness.ts';
import type { Drain, KnownServer, Snapshot } from '../../../network/state/state.ts';

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
    isAlive(server.beatAtMs, snapshot) ? leftText(leftOn(snapshot, server)) : 'dead',
  ];
  return words.filter((word) => word).join(', ');
}

function deadlineText(leftMs: number): string {
  return leftMs > 0
    ? `ends broadcasts in ${durationText(leftMs)}`
    : `past its deadline for ${durationText(-leftMs)}`;
}

/** What of a server is still used. */
export interface LeftOn {
  readonly viewers: number;
  readonly broadcasts: number;
  /** Feeds that other servers have from it. */
  readonly copies: number;
}

/** Of one that the cluster does not know nothing is left. */
export function leftOn({ streams, plan }: Snapshot, server: KnownServer | undefined): LeftOn {
  if (!server) return { viewers: 0, broadcasts: 0, copies: 0 };
  const { id, holdings } = server;
  const follows = Object.values(plan).flatMap((assignment) => assignment.follows);
  return {
    viewers: holdings.reduce((sum, held) => sum + held.viewers, 0),
    broadcasts: streams.filter(({ origin, live }) => origin === id && live).length,
    copies: follows.filter(({ parents }) => parents[0]?.id === id).length,
  };
}

export function leftText({ viewers, broadcasts, copies }: LeftOn): string {
  const left = [count(viewers, 'viewer'), count(broadcasts, 'broadcast'), count(copies, 'copy')];
  const words = left.filter((word) => word !== undefined);
  return words.length === 0 ? 'empty' : `left: ${words.join(', ')}`;
}

function count(number: number, noun: string): string | undefined {
  if (number === 0) return undefined;
  const plural = noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`;
  return `${number} ${number === 1 ? noun : plural}`;
}
