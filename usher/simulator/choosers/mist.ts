// MistServer's load balancer (src/utils/util_load.cpp): the highest score wins, a guess at what was sent since the last poll is added.

import type { Chooser } from '../chooser.ts';
import type { Ground } from '../world/ground.ts';
import type { Server } from '../world/plant.ts';
import type { Stream } from '../world/stream.ts';
import type { Pathway, Viewer } from '../world/viewer.ts';
import { phaseMs, type Reading, Sight } from './sight.ts';
import { Star, to } from './star.ts';

export interface MistOptions {
  readonly name: string;
  /** Added for a host of the nearest site, as a tag adjustment can. */
  readonly ownRegion: number;
}

const WEIGHT = { cpu: 500, ram: 500, bandwidth: 1_000, geo: 1_000, stream: 50 };
const POLL_MS = 5_000;
/** Of what was added to a host's bandwidth, so much is left after a poll. */
const DECAY = 0.75;
/** Bytes per second in kbps: 64 KiB, 1 MiB, 128 KiB. */
const [LEAST_KBPS, MOST_KBPS, GUESS_KBPS] = [524.288, 8_388.608, 1_048.576];
/** A server at its line rate uses this much of its CPU; the same share of its RAM is always in use. */
const CPU_AT_LINE_RATE = 0.6;
const RAM_USED = 0.2;
const HALF_EARTH_KM = 20_015;

interface Host {
  readonly server: Server;
  readonly sight: Sight;
  reading: Reading | undefined;
  addedKbps: number;
}

export class Mist extends Star implements Chooser {
  readonly name: string;
  readonly lingerMs = 10_000;
  readonly #options: MistOptions;
  readonly #hosts: readonly Host[];

  constructor({ events, plant }: Ground, options: MistOptions) {
    super();
    this.name = options.name;
    this.#options = options;
    this.#hosts = plant.servers.map((server) => {
      const host: Host = { server, sight: new Sight(server, 1), reading: undefined, addedKbps: 0 };
      events.every(POLL_MS, () => poll(host, events.nowMs), phaseMs(server, plant.servers, POLL_MS));
      return host;
    });
    // It has polled every host before viewers come.
    for (const host of this.#hosts) poll(host, 0);
  }

  choose(viewer: Viewer): readonly Pathway[] {
    let best: Host | undefined;
    let most = 0;
    for (const host of this.#hosts) {
      const score = this.#score(host, viewer);
      if (score > most) [best, most] = [host, score];
    }
    if (best) best.addedKbps += guessKbps(best, viewer.stream);
    return to(best?.server);
  }

  #score({ server, reading, addedKbps }: Host, { stream, group }: Viewer): number {
    if (!reading || !server.isOpen) return 0;
    const share = (reading.kbps + addedKbps) / server.card.capacityKbps;
    if (share >= 1) return 0;
    const isNearest = group.nearest[0] === server.site.index;
    const geo = 1 - group.roads[server.site.index]!.km / HALF_EARTH_KM;
    return (
      Math.trunc(WEIGHT.cpu * (1 - (CPU_AT_LINE_RATE * reading.kbps) / server.card.capacityKbps)) +
      Math.trunc(WEIGHT.ram * (1 - RAM_USED)) +
      Math.trunc(WEIGHT.bandwidth * (1 - share)) +
      Math.trunc(WEIGHT.geo * geo) +
      (reading.streams.has(stream) ? WEIGHT.stream : 0) +
      (isNearest ? this.#options.ownRegion : 0)
    );
  }
}

/** A host that does not answer leaves the pool, and comes back with a load that it has to lose first. */
function poll(host: Host, nowMs: number): void {
  if (host.server.isUp) {
    host.reading = host.sight.read(nowMs);
    host.addedKbps *= DECAY;
  } else {
    host.reading = undefined;
    host.addedKbps = (host.addedKbps + MOST_KBPS) * 1.2;
  }
}

/** What one viewer more will take: as one of the stream there does, else as any there, else what is usual. */
function guessKbps({ reading }: Host, stream: Stream): number {
  if (!reading) return LEAST_KBPS;
  const { streams, kbps, viewers } = reading;
  const receivedKbps = [...streams.keys()].reduce((sum, each) => sum + each.kbps, 0);
  const guess = streams.get(stream)
    ? stream.kbps
    : viewers > 0
      ? (kbps + receivedKbps) / viewers
      : GUESS_KBPS;
  return Math.min(MOST_KBPS, Math.max(LEAST_KBPS, guess));
}
