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

/** What a server finds when it looks at its copies. */
interface Look {
  readonly holdings: readonly Holding[];
  readonly heaviestKbps: number;
  readonly cachesKbps: number;
}

export class Reporter {
  readonly server: Server;
  readonly #calendar: Calendar;
  #speeds = new WeakMap<Copy, Speed>();
  /** What was said of each copy last: the same objects as long as nothing changes. */
  readonly #said = new Map<Copy, Holding>();
  #holdings: readonly Holding[] = [];
  #came: { readonly session: string; readonly atMs: number }[] = [];
  #copyMs = 0;
  #instance = 1;
  #sent = { atMs: 0, kbit: 0 };

  constructor(server: Server, calendar: Calendar) {
    this.server = server;
    this.#calendar = calendar;
  }

  came(viewer: Viewer, copy: Copy, nowMs: number): void {
    this.#came.push({ session: String(viewer.id), atMs: nowMs });
    const speed = this.#speeds.get(copy) ?? new Speed();
    speed.count(nowMs);
    this.#speeds.set(copy, speed);
  }

  copied(tookMs: number): void {
    this.#copyMs = Math.max(tookMs, this.#copyMs * COPY_DECAY);
  }

  /** Its process began anew. */
  restarted(): void {
    this.#instance++;
    this.#copyMs = 0;
    this.#came = [];
    this.#speeds = new WeakMap();
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

  /** Copies that have their first whole segments; one copy of the heaviest stream that is used here is kept back. */
  #look(nowMs: number): Look {
    const holdings: Holding[] = [];
    let [heaviestKbps, cachesKbps] = [0, 0];
    for (const copy of this.server.copies.values()) {
      const { stream, viewers, pulls, children, readyAtMs } = copy;
      if (stream.kbps > heaviestKbps && viewers + children.size + pulls > 0) heaviestKbps = stream.kbps;
      cachesKbps += pulls * stream.kbps;
      if (viewers > 0 || readyAtMs <= nowMs) holdings.push(this.#holdingOf(copy, nowMs));
    }
    if (this.#said.size > holdings.length) this.#forget();
    const isSame =
      holdings.length === this.#holdings.length && holdings.every((each, at) => each === this.#holdings[at]);
    if (!isSame) this.#holdings = holdings;
    return { holdings: this.#holdings, heaviestKbps, cachesKbps };
  }

  /** Copies that are gone. */
  #forget(): void {
    const { copies } = this.server;
    for (const copy of this.#said.keys()) if (copies.get(copy.stream) !== copy) this.#said.delete(copy);
  }

  #holdingOf(copy: Copy, nowMs: number): Holding {
    const { stream, pulls } = copy;
    // The connections of caches are viewers too.
    const viewers = copy.viewers + pulls;
    const said = this.#said.get(copy);
    const arrivalsPerS = this.#perS(copy, nowMs);
    const parent = copy.parent?.server.id ?? null;
    if (said?.viewers === viewers && said.arrivalsPerS === arrivalsPerS && said.parent === parent)
      if (said.isPulled === pulls > 0) return said;
    const { name } = stream;
    const uses = { viewers, isPulled: pulls > 0, arrivalsPerS };
    const holding = { stream: name, rendition: 'source', ...uses, next: 1_000, parent };
    this.#said.set(copy, holding);
    return holding;
  }

  #perS(copy: Copy, nowMs: number): number {
    const perS = this.#speeds.get(copy)?.perS(nowMs) ?? 0;
    if (perS >= LEAST_PER_S) return perS;
    this.#speeds.delete(copy);
    return 0;
  }
}

/** An operator's wish, in times of the wall clock. */
export function wished({ sinceMs, deadlineMs }: NonNullable<Server['drain']>, calendar: Calendar) {
  return { sinceMs: calendar.wallMs(sinceMs), deadlineMs: calendar.wallMs(deadlineMs) };
}
