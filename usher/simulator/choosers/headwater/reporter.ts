// What one simulated server says of itself with each beat: its card, its uplinks, who came, what it holds for how many.

import { ARRIVED_MS, type Holding, type KnownServer, MAX_ARRIVED } from '../../../../network/state/state.ts';
import type { Copy } from '../../world/copy.ts';
import type { Server } from '../../world/plant.ts';
import type { Viewer } from '../../world/viewer.ts';
import type { Calendar } from './calendar.ts';
import { Speed } from './speed.ts';

/** What a slow copy leaves of itself when the next one is made: how long copies take is said of the slow ones. */
const COPY_DECAY = 0.8;
/** Of its card that a server keeps back for servers and caches at most. */
const MAX_RESERVE = 0.1;
/** Less than that is nobody. */
const LEAST_PER_S = 0.01;

const NOBODY: readonly string[] = [];

/** What is known of one copy. */
interface Entry {
  readonly copy: Copy;
  /** Undefined while nobody comes. */
  speed: Speed | undefined;
  /** What was said of it last: the same object as long as nothing changes. */
  said: Holding | undefined;
  /** It is said: somebody watches it, or it has its first whole segments. */
  isShown: boolean;
  /** Its bitrate, if anybody uses it. */
  usedKbps: number;
  cachesKbps: number;
}

/** What a server finds when it looks at its copies. */
interface Look {
  readonly holdings: readonly Holding[];
  readonly heaviestKbps: number;
  readonly cachesKbps: number;
}

export class Reporter {
  readonly server: Server;
  readonly #calendar: Calendar;
  /** In the order in which the server has its copies. */
  readonly #entries = new Map<Copy, Entry>();
  /** To be looked at with the next beat: what changed since the last, and what changes by itself. Most copies rest. */
  readonly #restless = new Set<Entry>();
  #seen: Look = { holdings: [], heaviestKbps: 0, cachesKbps: 0 };
  #came: { readonly session: string; readonly atMs: number }[] = [];
  #copyMs = 0;
  #instance = 1;
  #sent = { atMs: 0, kbit: 0 };

  constructor(server: Server, calendar: Calendar) {
    this.server = server;
    this.#calendar = calendar;
    server.changed = new Set(server.copies.values());
  }

  came(viewer: Viewer, copy: Copy, nowMs: number): void {
    this.#came.push({ session: String(viewer.id), atMs: nowMs });
    if (!this.#entries.has(copy)) this.#align();
    const entry = this.#entries.get(copy);
    if (!entry) return;
    this.#restless.add(entry);
    entry.speed ??= new Speed();
    entry.speed.count(nowMs);
  }

  copied(tookMs: number): void {
    this.#copyMs = Math.max(tookMs, this.#copyMs * COPY_DECAY);
  }

  /** Its process began anew. */
  restarted(): void {
    this.#instance++;
    this.#copyMs = 0;
    this.#came = [];
    this.#entries.clear();
    this.#restless.clear();
  }

  record(nowMs: number): KnownServer {
    const { id, site, host, card, drain } = this.server;
    const { holdings, heaviestKbps, cachesKbps } = this.#look(nowMs);
    this.server.reserveKbps = Math.min(heaviestKbps, card.capacityKbps * MAX_RESERVE);
    const announced = drain && { ...wished(drain, this.#calendar), wished: true };
    return {
      id,
      instance: `${id}-${this.#instance}`,
      roles: ['origin', 'edge'],
      site: site.site.name,
      host: host.name,
      mediaUrl: `https://${id}.example`,
      relayUrl: `http://${id}.example`,
      rtmpUrl: `rtmp://${id}.example/live`,
      egressMbps: card.capacityKbps / 1000,
      sentMbps: this.#sentMbps(nowMs),
      committedMbps: this.#committedKbps() / 1000,
      uplinks: this.#uplinks(cachesKbps),
      arrived: this.#arrived(nowMs),
      copyMs: this.#copyMs,
      drain: announced ?? null,
      holdings,
      beatAtMs: this.#calendar.wallMs(nowMs),
    };
  }

  /** What is unused of the reserve counts. */
  #committedKbps(): number {
    const { viewersKbps, feedersKbps, reserveKbps } = this.server;
    return viewersKbps + Math.max(feedersKbps, reserveKbps);
  }

  #sentMbps(nowMs: number): number {
    const { atMs, kbit } = this.#sent;
    const now = this.server.card.carriedKbit(nowMs);
    this.#sent = { atMs: nowMs, kbit: now };
    return nowMs > atMs ? (now - kbit) / (nowMs - atMs) : 0;
  }

  #uplinks(cachesKbps: number): Record<string, number> {
    const uplinks: Record<string, number> = {};
    for (const [{ uplink }, kbps] of this.server.toViewers) if (kbps > 0) uplinks[uplink.name] = kbps / 1000;
    if (cachesKbps > 0) uplinks[''] = cachesKbps / 1000;
    return uplinks;
  }

  #arrived(nowMs: number): readonly string[] {
    if (this.#came.length === 0) return NOBODY;
    this.#came = this.#came.filter(({ atMs }) => nowMs - atMs < ARRIVED_MS).slice(-MAX_ARRIVED);
    return this.#came.map(({ session }) => session);
  }

  #look(nowMs: number): Look {
    const { changed } = this.server;
    this.#align();
    for (const copy of changed!) {
      const entry = this.#entries.get(copy);
      if (entry) this.#restless.add(entry);
    }
    if (changed!.size > 0 || this.#restless.size > 0) this.#seen = this.#lookAgain(nowMs);
    changed!.clear();
    return this.#seen;
  }

  /** One copy of the heaviest stream that is used here is kept back. */
  #lookAgain(nowMs: number): Look {
    for (const entry of this.#restless) {
      renew(entry, nowMs);
      if (entry.speed === undefined && entry.copy.readyAtMs <= nowMs) this.#restless.delete(entry);
    }
    const holdings: Holding[] = [];
    let [heaviestKbps, cachesKbps] = [0, 0];
    for (const entry of this.#entries.values()) {
      heaviestKbps = Math.max(heaviestKbps, entry.usedKbps);
      cachesKbps += entry.cachesKbps;
      if (entry.isShown) holdings.push(entry.said!);
    }
    const before = this.#seen.holdings;
    const isSame = holdings.length === before.length && holdings.every((each, at) => each === before[at]);
    return { holdings: isSame ? before : holdings, heaviestKbps, cachesKbps };
  }

  /** New copies are the last that a server has. */
  #align(): void {
    for (const copy of this.server.changed!)
      if (this.server.copies.get(copy.stream) === copy)
        this.#entries.getOrInsertComputed(copy, () => newEntry(copy));
      else this.#forget(copy);
  }

  #forget(copy: Copy): void {
    const entry = this.#entries.get(copy);
    if (!entry) return;
    this.#entries.delete(copy);
    this.#restless.delete(entry);
  }
}

function newEntry(copy: Copy): Entry {
  return { copy, speed: undefined, said: undefined, isShown: false, usedKbps: 0, cachesKbps: 0 };
}

function renew(entry: Entry, nowMs: number): void {
  const { stream, viewers, pulls, children, readyAtMs } = entry.copy;
  entry.usedKbps = viewers + children.size + pulls > 0 ? stream.kbps : 0;
  entry.cachesKbps = pulls * stream.kbps;
  entry.isShown = viewers > 0 || readyAtMs <= nowMs;
  if (entry.isShown) entry.said = holdingOf(entry, nowMs);
}

function holdingOf(entry: Entry, nowMs: number): Holding {
  const { stream, pulls, viewers, parent: from } = entry.copy;
  const { said } = entry;
  // The connections of caches are viewers too.
  const uses = { viewers: viewers + pulls, isPulled: pulls > 0, arrivalsPerS: perS(entry, nowMs) };
  const parent = from?.server.id ?? null;
  if (said && said.parent === parent && isSame(said, uses)) return said;
  return { stream: stream.name, rendition: 'source', ...uses, next: 1_000, parent };
}

type Uses = Pick<Holding, 'viewers' | 'isPulled' | 'arrivalsPerS'>;

function isSame(one: Uses, other: Uses): boolean {
  return (
    one.viewers === other.viewers &&
    one.isPulled === other.isPulled &&
    one.arrivalsPerS === other.arrivalsPerS
  );
}

function perS(entry: Entry, nowMs: number): number {
  const speed = entry.speed?.perS(nowMs) ?? 0;
  if (speed >= LEAST_PER_S) return speed;
  entry.speed = undefined;
  return 0;
}

/** An operator's wish, in times of the wall clock. */
export function wished({ sinceMs, deadlineMs }: NonNullable<Server['drain']>, calendar: Calendar) {
  return { sinceMs: calendar.wallMs(sinceMs), deadlineMs: calendar.wallMs(deadlineMs) };
}
