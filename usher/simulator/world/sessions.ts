// The viewers' ways: they ask, come to a server or a CDN, are moved, lose their server and ask again, are refused, leave.

import type { Chooser } from '../chooser.ts';
import type { Interruption, Measures } from '../measures/measures.ts';
import type { Times } from '../scenario.ts';
import type { Copies } from './copies.ts';
import type { Events } from './events.ts';
import type { Plant, Server } from './plant.ts';
import { Pulls } from './pulls.ts';
import type { CdnPathway, Pathway, Viewer } from './viewer.ts';

export interface SessionsOptions {
  readonly events: Events;
  readonly plant: Plant;
  readonly copies: Copies;
  readonly times: Times;
  /** Those that count now. */
  readonly measures: () => Measures;
}

/** After so many failures in a row a viewer gives up. */
const MOST_FAILURES = 5;

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #chooser: Chooser;
  readonly #pulls: Pulls;
  readonly #here = new Set<Viewer>();

  constructor(options: SessionsOptions, chooser: Chooser) {
    this.#options = options;
    this.#chooser = chooser;
    this.#pulls = new Pulls(options, chooser.hasGuard);
  }

  /** All that ask, are served or are on a CDN. */
  get here(): ReadonlySet<Viewer> {
    return this.#here;
  }

  arrive(viewer: Viewer): void {
    const { events } = this.#options;
    this.#measures.arrived++;
    this.#here.add(viewer);
    events.at(viewer.leavesAtMs, () => this.#leave(viewer));
    this.#ask(viewer, []);
  }

  /** To the first of the pathways that has it, without a gap; it stays where it is when none has. */
  move(viewer: Viewer, pathways: readonly Pathway[]): boolean {
    const target = pathways.find((pathway) => this.#isOpen(viewer, pathway));
    if (!target || isAt(viewer, target)) return false;
    this.#part(viewer);
    this.#join(viewer, target);
    this.#measures.moves++;
    return true;
  }

  /** All who are on a server lose it at once. */
  interrupt(server: Server, why: Interruption): void {
    for (const { audience } of [...server.copies.values()])
      for (const viewer of [...audience]) {
        this.#measures.interrupted[why]++;
        this.#part(viewer);
        this.#fail(viewer, [server]);
      }
    this.#pulls.lose(server);
  }

  /** Counts for those who are here what they have watched so far. */
  settle(): void {
    for (const viewer of this.#here) this.#measures.stayed(viewer, this.#options.events.nowMs);
  }

  get #measures(): Measures {
    return this.#options.measures();
  }

  #ask(viewer: Viewer, avoid: readonly Server[]): void {
    const pathways = this.#chooser.choose(viewer, avoid);
    if (pathways.length === 0) this.#refuse(viewer);
    else
      this.#options.events.after(this.#options.times.joinMs, () => {
        if (viewer.state === 'asking') this.#come(viewer, pathways, avoid);
      });
  }

  #come(viewer: Viewer, pathways: readonly Pathway[], avoid: readonly Server[]): void {
    const target = pathways.find((pathway) => this.#isOpen(viewer, pathway));
    if (target) this.#join(viewer, target);
    else this.#fail(viewer, [...avoid, ...pathways.flatMap(serverOf)]);
  }

  #fail(viewer: Viewer, avoid: readonly Server[]): void {
    viewer.failures++;
    if (viewer.failures > MOST_FAILURES) this.#refuse(viewer);
    else
      this.#options.events.after(this.#chooser.failoverMs, () => {
        if (viewer.state === 'asking') this.#ask(viewer, avoid);
      });
  }

  #isOpen(viewer: Viewer, pathway: Pathway): boolean {
    if (pathway.kind === 'cdn') return this.#pulls.mayBegin(viewer.stream, pathway);
    const { server } = pathway;
    if (!server.isUp) return false;
    if (server === viewer.server || !this.#chooser.hasGuard) return true;
    if (server.admits(viewer.stream.kbps, 'viewer')) return true;
    this.#measures.turnedAway++;
    return false;
  }

  #join(viewer: Viewer, pathway: Pathway): void {
    const { nowMs } = this.#options.events;
    viewer.sinceMs = nowMs;
    viewer.failures = 0;
    if (pathway.kind === 'cdn') this.#joinCdn(viewer, pathway);
    else this.#joinServer(viewer, pathway.server);
    this.#chooser.seen?.(viewer);
  }

  #joinCdn(viewer: Viewer, pathway: CdnPathway): void {
    viewer.state = 'overflowed';
    viewer.cdn = pathway.cdn;
    if (this.#hadRoom(viewer)) this.#measures.needlessCdnViewers++;
    this.#pulls.begin(viewer.stream, pathway);
  }

  #joinServer(viewer: Viewer, server: Server): void {
    const { events, copies } = this.#options;
    const { stream, group } = viewer;
    const copy = copies.obtain(stream, server);
    viewer.state = 'served';
    viewer.server = server;
    copy.join(viewer);
    stream.viewers++;
    server.sendToViewer(stream.kbps, group.roads[server.site.index]!.uplink, events.nowMs);
  }

  /** From where it is, to be nowhere for a moment. */
  #part(viewer: Viewer): void {
    const { events } = this.#options;
    this.#measures.stayed(viewer, events.nowMs);
    this.#chooser.left?.(viewer);
    viewer.sinceMs = events.nowMs;
    viewer.state = 'asking';
    if (viewer.cdn) this.#pulls.end(viewer.stream, viewer.cdn);
    viewer.cdn = undefined;
    if (viewer.server) this.#partServer(viewer, viewer.server);
    viewer.server = undefined;
  }

  #partServer(viewer: Viewer, server: Server): void {
    const { events, copies } = this.#options;
    const { stream, group } = viewer;
    server.sendToViewer(-stream.kbps, group.roads[server.site.index]!.uplink, events.nowMs);
    stream.viewers--;
    const copy = server.copies.get(stream)!;
    copy.part(viewer);
    copies.release(copy);
  }

  #leave(viewer: Viewer): void {
    if (!viewer.isHere) return;
    this.#part(viewer);
    viewer.state = 'left';
    this.#here.delete(viewer);
  }

  #refuse(viewer: Viewer): void {
    viewer.state = 'refused';
    this.#here.delete(viewer);
    this.#measures.refuse(viewer, this.#options.events.nowMs, this.#hadRoom(viewer));
  }

  /** Whether some server of the own network could have taken it without passing any limit. */
  #hadRoom({ stream, group }: Viewer): boolean {
    return group.roads.some(
      ({ site, uplink }) =>
        uplink.meter.hasRoom(stream.kbps) &&
        site.servers.some((server) => server.isOpen && server.hasRoom(stream.kbps)),
    );
  }
}

function isAt(viewer: Viewer, pathway: Pathway): boolean {
  return pathway.kind === 'cdn' ? viewer.cdn === pathway.cdn : viewer.server === pathway.server;
}

function serverOf(pathway: Pathway): Server[] {
  return pathway.kind === 'server' ? [pathway.server] : [];
}
