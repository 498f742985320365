// Where viewers watch, as far as this usher has sent and steered them: what they report counts for that site.

import type { PlayerState } from './report-body.ts';

interface Present {
  server: Whereabouts;
  /** Of the state that it was in last, by the player's clock. */
  state: PlayerState | undefined;
  /** Reports in the minute that began at `sinceMs`. */
  reports: number;
  sinceMs: number;
}

/** Past so many whoever was heard of least recently is forgotten, and what it reports is not counted. */
const MAX_SESSIONS = 100_000;
const MINUTE_MS = 60_000;
/** Of one session in a minute; what comes more often is not counted. */
const MAX_REPORTS = 60;
/** A player that says nothing for longer may have been asleep. */
const MAX_SPAN_MS = 60_000;

/** A server, or as much of it as is remembered. */
export interface Whereabouts {
  readonly id: string;
  readonly site: string;
}

/** A choice, or the destination of a pathway. */
export type Watching = { readonly kind: 'server'; readonly server: Whereabouts } | { readonly kind: 'cdn' };

export interface Watched {
  readonly playedMs: number;
  readonly stalledMs: number;
}

export class Presence {
  /** By session, who was heard of least recently first. */
  readonly #present = new Map<string, Present>();

  /** It is at a server or by a CDN from now on; of what CDNs do no site learns. */
  see(session: string, at: Watching, nowMs: number): void {
    const known = this.#present.get(session);
    this.#present.delete(session);
    if (at.kind === 'cdn') return;
    const { id, site } = at.server;
    const server = { id, site };
    this.#present.set(session, known ? Object.assign(known, { server }) : newcomer(server, nowMs));
    if (this.#present.size > MAX_SESSIONS) this.#present.delete(this.#present.keys().next().value!);
  }

  /** The server that a report of a session counts for, and its site; undefined: it does not count. Times are of a monotonic clock. */
  serverOf(session: string, nowMs: number): Whereabouts | undefined {
    const present = this.#present.get(session);
    if (!present) return undefined;
    if (nowMs - present.sinceMs >= MINUTE_MS) {
      present.sinceMs = nowMs;
      present.reports = 0;
    }
    present.reports += 1;
    return present.reports <= MAX_REPORTS ? present.server : undefined;
  }

  /** How long a session that goes through these states played and stalled, since the last state that is known. */
  watched(session: string, states: readonly PlayerState[]): Watched {
    const present = this.#present.get(session);
    const spans = { playing: 0, stalled: 0, other: 0 };
    if (!present) return { playedMs: 0, stalledMs: 0 };
    for (const next of states) {
      const spanMs = present.state ? next.atMs - present.state.atMs : 0;
      if (present.state && spanMs > 0 && spanMs <= MAX_SPAN_MS) spans[present.state.state] += spanMs;
      present.state = next;
    }
    return { playedMs: spans.playing, stalledMs: spans.stalled };
  }
}

function newcomer(server: Whereabouts, nowMs: number): Present {
  return { server, state: undefined, reports: 0, sinceMs: nowMs };
}
