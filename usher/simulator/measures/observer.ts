// Watches a run from the warm-up's end on: what changes at once is counted by those who do it, the rest is looked at here.

import type { Crowd } from '../scenario.ts';
import type { Ground } from '../world/ground.ts';
import type { Level } from '../world/level.ts';
import type { Meter, MeterKind } from '../world/meter.ts';
import type { Sessions } from '../world/sessions.ts';
import { INTERVAL_MS } from './bill.ts';
import { CopyRatio } from './copy-ratio.ts';
import { CostMeter } from './costs.ts';
import { CrowdWatch } from './crowds.ts';
import type { Measures } from './measures.ts';
import type { Curves, Result, Tree } from './result.ts';
import { costOf, unservedPercent } from './service.ts';
import { treeOf } from './trees.ts';

export interface ObserverOptions {
  readonly ground: Ground;
  readonly sessions: Sessions;
  readonly level: Level;
  readonly measures: Measures;
}

const LOOK_MS = 1_000;
const RATIO_MS = 5_000;
const CURVE_POINTS = 480;
const TREES = 60;
const KBIT_PER_GB = 8e6;

export class Observer {
  readonly #options: ObserverOptions;
  readonly #beganMs: number;
  readonly #costs: CostMeter;
  readonly #ratio: CopyRatio;
  readonly #crowds: readonly CrowdWatch[];
  readonly #curves: Curves = {
    seconds: [],
    ownViewers: [],
    cdnViewers: [],
    refused: [],
    worstServer: [],
    worstUplink: [],
    worstLink: [],
    copies: [],
    cost: [],
  };
  readonly #trees: Tree[] = [];

  /** Everything that counts begins to count now. */
  constructor(options: ObserverOptions) {
    const { events, plant, scenario, streams } = options.ground;
    this.#options = options;
    this.#beganMs = events.nowMs;
    for (const meter of plant.meters()) meter.forget(events.nowMs);
    options.level.forget(events.nowMs);
    this.#costs = new CostMeter(plant, scenario.daysBefore, events.nowMs);
    this.#ratio = new CopyRatio(plant.servers);
    this.#crowds = scenario.arrivals
      .filter((asked): asked is Crowd => asked.kind === 'crowd')
      .map((crowd) => new CrowdWatch(crowd, streams[crowd.stream - 1]!, events.nowMs));
    this.#schedule();
  }

  result(policy: string): Result {
    const { ground, measures } = this.#options;
    const { nowMs } = ground.events;
    const over = this.#over(nowMs);
    const { ownHours, cdnHours, refusedHours, refusedKbpsHours } = measures;
    const unservedKbit = refusedKbpsHours * 3600 + this.#lostKbit(nowMs);
    const watched = { ownHours, cdnHours, refusedHours, lostHours: over.lostHours, unservedKbit };
    const cdnPrices = ground.plant.cdns.map(({ cdn }) => cdn.microUsdPerGb);
    return {
      policy,
      viewers: { ...viewersOf(measures), unservedPercent: unservedPercent(watched) },
      over,
      cost: costOf(this.#costs.costs(nowMs), watched, cdnPrices),
      distance: {
        meanKm: measures.km.mean,
        p95Km: measures.km.percentile(95),
        meanRttMs: measures.rttMs.mean,
        p95RttMs: measures.rttMs.percentile(95),
      },
      copies: this.#copies(nowMs),
      enoughCopiesAfterS: this.#crowds.map(({ enoughAfterS }) => enoughAfterS),
      curves: this.#curves,
      trees: this.#trees,
    };
  }

  #schedule(): void {
    const { events, scenario, streams } = this.#options.ground;
    const lengthMs = scenario.minutes * 60_000;
    events.every(INTERVAL_MS, () => this.#costs.closeInterval(events.nowMs));
    events.every(RATIO_MS, () => this.#ratio.look(streams));
    events.every(LOOK_MS, () => this.#lookAtCrowds());
    events.every(Math.max(LOOK_MS, lengthMs / CURVE_POINTS), () => this.#draw(), 0);
    events.every(Math.max(LOOK_MS, lengthMs / TREES), () => this.#drawTree(), 0);
  }

  #lookAtCrowds(): void {
    const { ground, sessions } = this.#options;
    const { nowMs } = ground.events;
    for (const crowd of this.#crowds) if (crowd.isOn(nowMs)) crowd.look(nowMs, sessions.here);
  }

  #draw(): void {
    const { ground, level, measures } = this.#options;
    const { events, plant, streams } = ground;
    const { transit, links, cdn } = this.#costs.costs(events.nowMs);
    const curves = this.#curves;
    curves.seconds.push((events.nowMs - this.#beganMs) / 1000);
    curves.ownViewers.push(streams.reduce((sum, { viewers }) => sum + viewers, 0));
    curves.cdnViewers.push(streams.reduce((sum, { cdnViewers }) => sum + cdnViewers, 0));
    curves.refused.push(measures.refused);
    curves.copies.push(level.count);
    curves.cost.push(Math.round(transit + links + cdn));
    const meters = Map.groupBy(plant.meters(), ({ kind }) => kind);
    curves.worstServer.push(fullest([...(meters.get('server') ?? []), ...(meters.get('host') ?? [])]));
    curves.worstUplink.push(fullest(meters.get('uplink')));
    curves.worstLink.push(fullest(meters.get('link')));
  }

  #drawTree(): void {
    const { events, streams } = this.#options.ground;
    const most = streams.reduce((best, stream) => (stream.viewers > best.viewers ? stream : best));
    this.#trees.push(treeOf(most, (events.nowMs - this.#beganMs) / 1000, events.nowMs));
  }

  #over(nowMs: number): Result['over'] {
    const secondsBy: Record<MeterKind, number> = { server: 0, host: 0, uplink: 0, link: 0 };
    let [worst, worstAt] = [0, ''];
    for (const meter of this.#options.ground.plant.meters()) {
      const troubles = meter.troubles(nowMs);
      secondsBy[meter.kind] += troubles.overMs / 1000;
      if (troubles.worst > worst) [worst, worstAt] = [troubles.worst, `${meter.kind} ${meter.name}`];
    }
    const seconds = Object.values(secondsBy).reduce((sum, each) => sum + each, 0);
    const lostHours = this.#lostKbit(nowMs) / 3600 / this.#meanKbps();
    return { seconds, secondsBy, worstPercent: worst * 100, worstAt, lostHours };
  }

  #lostKbit(nowMs: number): number {
    return this.#options.ground.plant
      .meters()
      .reduce((sum, meter) => sum + meter.troubles(nowMs).lostKbit, 0);
  }

  #meanKbps(): number {
    const { ownHours, kbpsHours } = this.#options.measures;
    return ownHours > 0 ? kbpsHours / ownHours : 1;
  }

  #copies(nowMs: number): Result['copies'] {
    const { level } = this.#options;
    return {
      hours: level.hours(nowMs),
      most: level.most,
      overFewest: this.#ratio.anywhere,
      overFewestAtSites: this.#ratio.atTheirSites,
      betweenSitesGb: this.#costs.linksKbit(nowMs) / KBIT_PER_GB,
    };
  }
}

function viewersOf(measures: Measures): Omit<Result['viewers'], 'unservedPercent'> {
  const all = measures.present + measures.arrived;
  const { arrived, ownHours, cdnHours, refusedHours, refused, interrupted, startMs } = measures;
  return {
    arrived,
    ownHours,
    cdnHours,
    refusedHours,
    refused,
    refusedWithRoom: measures.refusedWithRoom,
    onCdnWithRoom: measures.needlessCdnViewers,
    turnedAway: measures.turnedAway,
    meanStartMs: startMs.mean,
    p95StartMs: startMs.percentile(95),
    movesPerViewer: all > 0 ? measures.moves / all : 0,
    interruptedByDrains: interrupted.drain,
    interruptedByFailures: interrupted.failure,
  };
}

function fullest(meters: readonly Meter[] = []): number {
  return Math.round(Math.max(0, ...meters.map(({ utilisation }) => utilisation)) * 1000) / 10;
}
