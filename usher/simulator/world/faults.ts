// What happens to the simulated network: servers, sites and links that fail and come back, servers that are drained and restarted.

import type { Interruption } from '../measures/measures.ts';
import type { Happening, Scenario } from '../scenario.ts';
import type { Copies } from './copies.ts';
import type { Events } from './events.ts';
import { kmTo, linkName, type Plant, type Server } from './plant.ts';
import type { Sessions } from './sessions.ts';
import type { Stream } from './stream.ts';

export interface FaultsOptions {
  readonly scenario: Scenario;
  readonly events: Events;
  readonly plant: Plant;
  readonly streams: readonly Stream[];
  readonly copies: Copies;
  readonly sessions: Sessions;
}

export class Faults {
  readonly #options: FaultsOptions;
  readonly #startMs: number;
  readonly #broadcasts = new Map<Server, number>();

  constructor(options: FaultsOptions) {
    this.#options = options;
    this.#startMs = options.scenario.warmupMinutes * 60_000;
  }

  /** Every broadcaster comes to a server of the nearest site, one after another; then all that is to happen is noted. */
  begin(): void {
    for (const stream of this.#options.streams) this.#originate(stream);
    for (const happening of this.#options.scenario.events) this.#note(happening);
  }

  #note(happening: Happening): void {
    if (happening.kind === 'rolling restart') this.#roll(happening);
    else this.#at(happening.atS, () => this.#happen(happening));
  }

  #happen(happening: Exclude<Happening, { kind: 'rolling restart' }>): void {
    switch (happening.kind) {
      case 'server fails':
        this.#stop([this.#server(happening.server)], 'failure', happening.forS);
        break;
      case 'site fails':
        this.#stop(this.#site(happening.site), 'failure', happening.forS);
        break;
      case 'link fails':
        this.#cut(happening.sites, happening.forS);
        break;
      case 'drain':
        this.#drain([this.#server(happening.server)], happening);
    }
  }

  #at(second: number, happen: () => void): void {
    this.#options.events.at(this.#startMs + second * 1000, happen);
  }

  #server(id: string): Server {
    return this.#options.plant.servers.find((server) => server.id === id)!;
  }

  #site(name: string): readonly Server[] {
    return this.#options.plant.sites.find(({ site }) => site.name === name)!.servers;
  }

  #roll(happening: Extract<Happening, { kind: 'rolling restart' }>): void {
    const { servers } = this.#options.plant;
    const { atS, atOnce, deadlineS, downS } = happening;
    for (let first = 0; first < servers.length; first += atOnce) {
      const turn = first / atOnce;
      this.#at(atS + turn * (deadlineS + downS), () =>
        this.#drain(servers.slice(first, first + atOnce), happening),
      );
    }
  }

  #drain(servers: readonly Server[], { deadlineS, downS }: { deadlineS: number; downS: number }): void {
    const { events } = this.#options;
    const drain = { sinceMs: events.nowMs, deadlineMs: events.nowMs + deadlineS * 1000 };
    for (const server of servers) server.drain = drain;
    events.after(deadlineS * 1000, () => this.#stop(servers, 'drain', downS));
  }

  /** All at once, so that nobody goes from one of them to another. */
  #stop(servers: readonly Server[], why: Interruption, forS: number): void {
    const { events, sessions, copies, streams } = this.#options;
    for (const server of servers) server.isUp = false;
    for (const server of servers) sessions.interrupt(server, why);
    for (const server of servers) copies.lose(server);
    for (const stream of streams) if (stream.origin && !stream.origin.isUp) this.#reconnect(stream);
    for (const server of servers) this.#broadcasts.delete(server);
    events.after(forS * 1000, () => {
      for (const server of servers) this.#start(server);
    });
  }

  #start(server: Server): void {
    server.isUp = true;
    server.drain = undefined;
  }

  #reconnect(stream: Stream): void {
    stream.origin = undefined;
    stream.term++;
    const { events, scenario } = this.#options;
    events.after(scenario.times.reconnectMs, () => this.#originate(stream));
  }

  #originate(stream: Stream): void {
    const origin = this.#originFor(stream);
    if (origin) {
      this.#options.copies.originate(stream, origin);
      this.#broadcasts.set(origin, this.#broadcastsOf(origin) + 1);
    } else this.#reconnect(stream);
  }

  /** Of the open servers of the nearest site that has any, the one with the fewest broadcasts. */
  #originFor({ home }: Stream): Server | undefined {
    const near = this.#options.plant.sites
      .toSorted((one, other) => kmTo(one, home) - kmTo(other, home))
      .map(({ servers }) => servers.filter(({ isOpen }) => isOpen))
      .find((servers) => servers.length > 0);
    return near?.reduce((best, server) =>
      this.#broadcastsOf(server) < this.#broadcastsOf(best) ? server : best,
    );
  }

  #broadcastsOf(server: Server): number {
    return this.#broadcasts.get(server) ?? 0;
  }

  #cut([one, other]: readonly [string, string], forS: number): void {
    this.#setLink(one, other, false);
    this.#options.events.after(forS * 1000, () => this.#setLink(one, other, true));
  }

  #setLink(one: string, other: string, isUp: boolean): void {
    const { plant, copies } = this.#options;
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      const link = plant.links.get(linkName(from, to));
      if (link) link.isUp = isUp;
      copies.reroute(from, to);
    }
  }
}
