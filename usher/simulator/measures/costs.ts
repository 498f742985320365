// The true bill of a run: reads the uplinks' meters every five minutes, and those of links and CDNs at the end.

import type { Plant } from '../world/plant.ts';
import { INTERVAL_MS, transitPrice, volumePrice } from './bill.ts';

/** Micro-dollars. */
export interface Costs {
  readonly transit: number;
  readonly links: number;
  readonly cdn: number;
}

interface Transit {
  readonly billing: Parameters<typeof transitPrice>[0];
  readonly read: (nowMs: number) => number;
  readonly means: number[];
  readAtIntervalKbit: number;
  readonly beganKbit: number;
}

const INTERVALS_PER_DAY = 86_400_000 / INTERVAL_MS;

export class CostMeter {
  readonly #beganMs: number;
  #intervalMs: number;
  readonly #transits: Transit[];
  readonly #volumes: {
    readonly kind: 'links' | 'cdn';
    readonly price: number;
    read(nowMs: number): number;
  }[];

  /** On so many days of this month uplinks were loaded as they are now. */
  constructor(plant: Plant, daysBefore: number, nowMs: number) {
    this.#beganMs = nowMs;
    this.#intervalMs = nowMs;
    this.#transits = plant.sites.flatMap(({ uplinks }) =>
      uplinks.flatMap(({ uplink, meter }) => {
        if (uplink.kind === 'peering') return [];
        const kbit = meter.carriedKbit(nowMs);
        const read = (atMs: number): number => meter.carriedKbit(atMs);
        const means = new Array<number>(daysBefore * INTERVALS_PER_DAY).fill(meter.loadKbps / 1000);
        return { billing: uplink.billing, read, means, readAtIntervalKbit: kbit, beganKbit: kbit };
      }),
    );
    this.#volumes = [
      ...[...plant.links.values()].map(({ link, meter }) =>
        volumeOf('links', meter, link.microUsdPerGb, nowMs),
      ),
      ...plant.cdns.map(({ cdn, meter }) => volumeOf('cdn', meter, cdn.microUsdPerGb, nowMs)),
    ];
  }

  /** To be called every INTERVAL_MS. */
  closeInterval(nowMs: number): void {
    for (const transit of this.#transits) {
      transit.means.push(this.#openMean(transit, nowMs));
      transit.readAtIntervalKbit = transit.read(nowMs);
    }
    this.#intervalMs = nowMs;
  }

  /** An interval that is not over counts with its mean so far. */
  costs(nowMs: number): Costs {
    const elapsedMs = nowMs - this.#beganMs;
    const costs = { transit: 0, links: 0, cdn: 0 };
    for (const transit of this.#transits) {
      const { billing, means, read, beganKbit } = transit;
      const all = nowMs > this.#intervalMs ? [...means, this.#openMean(transit, nowMs)] : means;
      costs.transit += transitPrice(billing, all, read(nowMs) - beganKbit, elapsedMs);
    }
    for (const { kind, price, read } of this.#volumes) costs[kind] += volumePrice(read(nowMs), price);
    return costs;
  }

  /** What went between sites over the network's own links. */
  linksKbit(nowMs: number): number {
    return this.#volumes
      .filter(({ kind }) => kind === 'links')
      .reduce((sum, { read }) => sum + read(nowMs), 0);
  }

  #openMean({ read, readAtIntervalKbit }: Transit, nowMs: number): number {
    return (read(nowMs) - readAtIntervalKbit) / Math.max(1, nowMs - this.#intervalMs);
  }
}

function volumeOf(
  kind: 'links' | 'cdn',
  meter: { carriedKbit(nowMs: number): number },
  price: number,
  nowMs: number,
) {
  const beganKbit = meter.carriedKbit(nowMs);
  return { kind, price, read: (atMs: number) => meter.carriedKbit(atMs) - beganKbit };
}
