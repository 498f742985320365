// catalyst-api's balancer (balancer/catabalancer): classes of distance and load, and a throw of the dice among the best. Never refuses.

import type { Chooser } from '../chooser.ts';
import { Dice } from '../dice.ts';
import type { Ground } from '../world/ground.ts';
import type { Server } from '../world/plant.ts';
import type { Pathway, Viewer } from '../world/viewer.ts';
import { phaseMs, type Reading, Sight } from './sight.ts';
import { Star, to } from './star.ts';

const WRITE_MS = 5_000;
/** The sample of the CPU; that of the network card comes after it, then the row is written, and read from a cache. */
const SAMPLE_MS = 1_000;
const PUBLISH_MS = 2_750;
const DROPPED_MS = 20_000;
const [GOOD_KM, OKAY_KM] = [1_500, 7_500];
const [OKAY_LOAD, BAD_LOAD] = [0.5, 0.85];
const CPU_AT_LINE_RATE = 0.6;
/** `(rx+tx)/8/1e6` of bytes per second against the card's Mbit/s (sysstats.go:117): so much too low. */
const BANDWIDTH_ERROR = 64;

interface Node {
  readonly server: Server;
  reading: Reading;
  readAtMs: number;
}

interface Ranked {
  readonly server: Server;
  readonly geo: number;
  readonly load: number;
  readonly hasStream: boolean;
}

export class Catalyst extends Star implements Chooser {
  readonly name = 'catalyst';
  readonly lingerMs = 10_000;
  readonly #ground: Ground;
  readonly #dice: Dice;
  readonly #nodes: readonly Node[];

  constructor(ground: Ground) {
    super();
    this.#ground = ground;
    this.#dice = new Dice(ground.seed, this.name);
    const { events, plant } = ground;
    this.#nodes = plant.servers.map((server) => {
      const node: Node = { server, reading: { kbps: 0, viewers: 0, streams: new Map() }, readAtMs: 0 };
      const sight = new Sight(server, 1);
      const write = (): void => {
        sight.read(events.nowMs);
        events.after(SAMPLE_MS, () => publish(ground, node, sight));
      };
      events.every(WRITE_MS, write, phaseMs(server, plant.servers, WRITE_MS));
      return node;
    });
  }

  choose(viewer: Viewer): readonly Pathway[] {
    const { nowMs } = this.#ground.events;
    const known = this.#nodes.filter(
      ({ server, readAtMs }) => server.isOpen && nowMs - readAtMs < DROPPED_MS,
    );
    if (known.length === 0) return [];
    const ranked = this.#rank(known, viewer);
    const fit = ranked.filter(({ geo, load }) => geo === 2 && load === 2);
    const having = fit.filter(({ hasStream }) => hasStream);
    if (having.length > 0) return to(this.#dice.pick(having).server);
    if (fit.length > 0) return to(this.#dice.pick(fit).server);
    const sorted = ranked.toSorted((one, other) => pointsOf(other) - pointsOf(one));
    return to(this.#dice.pick(sorted.slice(0, 3)).server);
  }

  #rank(nodes: readonly Node[], { stream, group }: Viewer): Ranked[] {
    const kmOf = ({ server }: Node): number => group.roads[server.site.index]!.km;
    const nearest = Math.min(...nodes.map(kmOf));
    return nodes.map((node) => ({
      server: node.server,
      geo: geoClass(kmOf(node) - nearest),
      load: loadClass(node),
      hasStream: node.reading.streams.has(stream),
    }));
  }
}

function publish({ events }: Ground, node: Node, sight: Sight): void {
  if (!node.server.isUp) return;
  const reading = sight.read(events.nowMs);
  events.after(PUBLISH_MS, () => {
    node.reading = reading;
    node.readAtMs = events.nowMs;
  });
}

/** By how much farther it is than the nearest. */
function geoClass(fartherKm: number): number {
  if (fartherKm <= GOOD_KM) return 2;
  return fartherKm <= OKAY_KM ? 1 : 0;
}

function loadClass({ server, reading }: Node): number {
  const share = reading.kbps / server.card.capacityKbps;
  const load = Math.max(share * CPU_AT_LINE_RATE, share / BANDWIDTH_ERROR);
  if (load > BAD_LOAD) return 0;
  return load > OKAY_LOAD ? 1 : 2;
}

function pointsOf({ geo, load, hasStream }: Ranked): number {
  return geo + load + (hasStream ? 2 : 0);
}
