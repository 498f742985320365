// What the operators' console costs an usher and its connection: a cluster in which all changes each second. Time is that of the core.

import type { Holding, KnownServer, Snapshot } from '../../network/state/state.ts';
import { eventsBetween } from '../../usher/console/events/events-between.ts';
import type { Look } from '../../usher/console/figures/look.ts';
import { History } from '../../usher/console/history/history.ts';
import { Stage } from '../../usher/console/live/stage.ts';
import { Stalls } from '../../usher/console/watch/stalls.ts';
import { Sight } from '../../usher/console/watch/watch.ts';
import { lookAt } from '../tools/cluster/looks.ts';
import { clusterOf, Dice, Popularity, type Size, topologyOf } from './network-model.ts';
import { type Report, table } from './report.ts';

const SIZES: readonly Size[] = [
  { servers: 20, streams: 200 },
  { servers: 200, streams: 2_000 },
];
const WARM_S = 5;
const STEP_S = 10;

interface Result extends Size {
  readonly viewers: number;
  /** Without listeners: what happened, each second; curves, every ten. */
  readonly eventsMs: number;
  readonly curvesMs: number;
  /** For all who listen. */
  readonly tellMs: number;
  readonly firstKb: number;
  readonly firstPackedKb: number;
  readonly changeKbPerS: number;
  readonly changePackedKbPerS: number;
  /** The most watched stream's tree, for who asked for it. */
  readonly treeKbPerS: number;
  readonly treePackedKbPerS: number;
}

export async function benchmarkConsole({ seconds }: { readonly seconds: number }): Promise<Report> {
  const results = SIZES.map((size) => measure(size, seconds));
  const rows = results.map((result) => [
    `${result.servers} servers, ${result.streams} streams, ${result.viewers} viewers`,
    result.eventsMs.toFixed(1),
    result.curvesMs.toFixed(1),
    result.tellMs.toFixed(1),
    `${result.firstKb.toFixed(0)} (${result.firstPackedKb.toFixed(0)})`,
    `${result.changeKbPerS.toFixed(1)} (${result.changePackedKbPerS.toFixed(1)})`,
    `${result.treeKbPerS.toFixed(1)} (${result.treePackedKbPerS.toFixed(1)})`,
  ]);
  const head = [
    'cluster',
    'events ms/s',
    'curves ms/10 s',
    'telling ms/s',
    'first kB (packed)',
    'changes kB/s (packed)',
    'one tree kB/s (packed)',
  ];
  return { data: results, text: table(head, rows) };
}

function measure(size: Size, seconds: number): Result {
  const dice = new Dice(1);
  const topology = topologyOf();
  const popular = new Popularity(size.streams);
  const history = new History();
  const stalls = new Stalls();
  const watched = new Set([popular.names[0]!]);
  let snapshot = clusterOf(size, popular);
  let look: Look = lookAt(snapshot, { topology });
  const first = new Sight(look);
  const stage = new Stage('benchmark', first, 0);
  const whole = stage.whole;
  const took = { events: [] as number[], curves: [] as number[], tell: [] as number[] };
  const bytes = { plain: 0, packed: 0, treePlain: 0, treePacked: 0 };
  for (let second = 1; second <= WARM_S + seconds; second++) {
    snapshot = secondLater(snapshot, dice);
    const before = look;
    look = lookAt(snapshot, { topology });
    const sight = new Sight(look);
    took.events.push(timed(() => eventsBetween(before, look)));
    const tick = timedValue(took.tell, () => stage.advance(sight, watched, () => []));
    if (second % STEP_S === 0)
      took.curves.push(
        timed(() => history.record(look, new Sight(look).tally, stalls.take(), second * 1_000)),
      );
    if (second <= WARM_S || !tick) continue;
    for (const { plain, packed } of tick.frames) {
      bytes.plain += plain.length;
      bytes.packed += packed.length;
    }
    for (const { plain, packed } of tick.streams.values()) {
      bytes.treePlain += plain.length;
      bytes.treePacked += packed.length;
    }
  }
  const perS = (sum: number): number => sum / 1_000 / seconds;
  return {
    ...size,
    viewers: [...first.tally.sites.values()].reduce((sum, { viewers }) => sum + viewers, 0),
    eventsMs: mean(took.events.slice(WARM_S)),
    curvesMs: mean(took.curves),
    tellMs: mean(took.tell.slice(WARM_S)),
    firstKb: whole.plain.length / 1_000,
    firstPackedKb: whole.packed.length / 1_000,
    changeKbPerS: perS(bytes.plain),
    changePackedKbPerS: perS(bytes.packed),
    treeKbPerS: perS(bytes.treePlain),
    treePackedKbPerS: perS(bytes.treePacked),
  };
}

/** Every server beats; of every feed some viewers came and some left, and what is sent wavers. */
function secondLater(before: Snapshot, dice: Dice): Snapshot {
  const nowMs = before.nowMs + 1_000;
  const servers = before.servers.map((each): KnownServer => {
    const holdings = each.holdings.map((holding) => wavered(holding, dice));
    const sentMbps = each.sentMbps * (0.97 + 0.06 * dice.next());
    return { ...each, beatAtMs: nowMs, sentMbps, holdings };
  });
  return { ...before, nowMs, servers };
}

function wavered(holding: Holding, dice: Dice): Holding {
  const came = Math.round(holding.viewers * 0.05 * dice.next() + dice.next() * 0.7);
  const left = Math.min(
    holding.viewers,
    Math.round(holding.viewers * 0.05 * dice.next() + dice.next() * 0.7),
  );
  const viewers = holding.viewers + came - left;
  return { ...holding, viewers, arrivalsPerS: came, next: holding.next + 75 };
}

/** The core's time is told in steps that are longer than some of this. */
function mean(samples: readonly number[]): number {
  return samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
}

function timed(run: () => unknown): number {
  const before = process.threadCpuUsage();
  run();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

function timedValue<Value>(took: number[], run: () => Value): Value {
  let value: Value | undefined;
  took.push(
    timed(() => {
      value = run();
    }),
  );
  return value as Value;
}
