// Who comes when: a stream of arrivals in order of time, from the dice. It is the same for every policy. Pure.

import { Dice, Lottery } from '../dice.ts';
import type { ArrivalsAsked, Audience, Crowd, Day, Scenario, Trace } from '../scenario.ts';
import type { Group } from './group.ts';
import type { Stream } from './stream.ts';

export interface Arrival {
  readonly atMs: number;
  readonly stream: Stream;
  readonly group: Group;
  readonly leavesAtMs: number;
}

export interface ArrivalsOptions {
  readonly scenario: Scenario;
  readonly streams: readonly Stream[];
  readonly groups: readonly Group[];
  readonly seed: number;
}

/** Rates are taken as even over it. */
const STEP_MS = 250;

export function* arrivalsIn(options: ArrivalsOptions): Generator<Arrival> {
  const { scenario, seed } = options;
  const endMs = (scenario.warmupMinutes + scenario.minutes) * 60_000;
  const crowd = new People(options);
  const sources = scenario.arrivals.map((asked, index) =>
    sourceOf(asked, scenario, crowd, new Dice(seed, `arrivals ${index}`)),
  );
  for (let fromMs = 0; fromMs < endMs; fromMs += STEP_MS) {
    const step = sources.flatMap((source) => source(fromMs));
    yield* step.sort((one, other) => one.atMs - other.atMs);
  }
}

/** Those who come in the step that begins then. */
type Source = (fromMs: number) => Arrival[];

function sourceOf(asked: ArrivalsAsked, scenario: Scenario, people: People, dice: Dice): Source {
  const startMs = scenario.warmupMinutes * 60_000;
  if (asked.kind === 'trace') return traced(asked, people, startMs, dice);
  const meanMs = asked.minutes * 60_000;
  const rate = rateOf(asked, startMs);
  const stream = asked.kind === 'crowd' ? people.streamAt(asked.stream) : undefined;
  return (fromMs) => {
    const count = dice.poisson((rate(fromMs + STEP_MS / 2) * STEP_MS) / 1000);
    return Array.from({ length: count }, () => {
      const atMs = fromMs + dice.next() * STEP_MS;
      return people.arrival(atMs, dice, dice.exponential(meanMs), stream);
    });
  };
}

/** Arrivals per second at a time of the simulation. */
type Rate = (atMs: number) => number;

function rateOf(asked: Exclude<ArrivalsAsked, Trace>, startMs: number): Rate {
  if (asked.kind === 'crowd') return crowdRate(asked, startMs);
  const level = asked.kind === 'day' ? dayLevel(asked, startMs) : () => asked.viewers;
  return (atMs) => rateToHold(level, asked.minutes * 60, startMs, atMs);
}

/** What brings as many viewers as are to be there, who leave after `stayS` on average. They come evenly in the warm-up. */
function rateToHold(level: Rate, stayS: number, startMs: number, atMs: number): number {
  const warmupS = startMs / 1000;
  if (atMs < startMs) return level(startMs) / (stayS * (1 - Math.exp(-warmupS / stayS)));
  const growth = level(atMs + 500) - level(atMs - 500);
  return Math.max(0, level(atMs) / stayS + growth);
}

/** A curve over the day whose mean and peak are those asked for: the exponential of a cosine. */
function dayLevel({ meanViewers, peakViewers, peakHour }: Day, startMs: number): Rate {
  const sharpness = sharpnessFor(peakViewers / meanViewers);
  return (atMs) => {
    const hours = (atMs - startMs) / 3_600_000 - peakHour;
    return peakViewers * Math.exp(sharpness * (Math.cos((2 * Math.PI * hours) / 24) - 1));
  };
}

/** By halving: the ratio of the curve's peak to its mean grows with it. */
function sharpnessFor(ratio: number): number {
  let [low, high] = [0, 50];
  for (let turn = 0; turn < 60; turn++) {
    const middle = (low + high) / 2;
    if (peakOverMean(middle) < ratio) low = middle;
    else high = middle;
  }
  return low;
}

function peakOverMean(sharpness: number): number {
  let sum = 0;
  for (let hour = 0; hour < 24; hour += 0.25)
    sum += Math.exp(sharpness * (Math.cos((2 * Math.PI * hour) / 24) - 1));
  return 96 / sum;
}

function crowdRate({ atS, riseS, viewers, shape }: Crowd, startMs: number): Rate {
  return (atMs) => {
    const passedS = (atMs - startMs) / 1000 - atS;
    if (passedS < 0 || passedS >= riseS) return 0;
    if (shape === 'even') return viewers / riseS;
    // From one viewer to all but one.
    const speed = (2 * Math.log(viewers)) / riseS;
    const share = 1 / (1 + Math.exp(-speed * (passedS - riseS / 2)));
    return viewers * speed * share * (1 - share);
  };
}

function traced({ rows }: Trace, people: People, startMs: number, dice: Dice): Source {
  const sorted = rows.toSorted((one, other) => one.second - other.second);
  let next = 0;
  return (fromMs) => {
    const first = next;
    const untilS = (fromMs + STEP_MS - startMs) / 1000;
    while (next < sorted.length && sorted[next]!.second < untilS) next++;
    return sorted.slice(first, next).map((row) => {
      const atMs = startMs + row.second * 1000;
      const stayMs = row.minutes * 60_000;
      return people.arrival(atMs, dice, stayMs, people.streamAt(row.stream), row.audience);
    });
  };
}

/** Which stream a viewer comes for, and from where. */
class People {
  readonly #streams: readonly Stream[];
  readonly #homeShare: number;
  readonly #popularity: Lottery;
  readonly #groups: readonly Group[];
  readonly #all: Lottery;
  readonly #networks: ReadonlyMap<string, { readonly groups: readonly Group[]; readonly lottery: Lottery }>;

  constructor({ scenario, streams, groups }: ArrivalsOptions) {
    this.#streams = streams;
    this.#homeShare = scenario.streams.homeShare;
    this.#popularity = new Lottery(streams.map(({ index }) => (index + 1) ** -scenario.streams.zipf));
    this.#groups = groups;
    this.#all = new Lottery(groups.map(({ share }) => share));
    const byAudience = Map.groupBy(groups, ({ audience }) => audience.name);
    this.#networks = new Map(
      [...byAudience].map(([name, of]) => [
        name,
        { groups: of, lottery: new Lottery(of.map(({ share }) => share)) },
      ]),
    );
  }

  streamAt(rank: number): Stream {
    return this.#streams[rank - 1]!;
  }

  arrival(atMs: number, dice: Dice, stayMs: number, wanted?: Stream, audience?: Audience['name']): Arrival {
    const stream = wanted ?? this.#streams[this.#popularity.draw(dice)]!;
    const from = audience ?? (dice.next() < this.#homeShare ? stream.home.name : undefined);
    const group = from === undefined ? this.#groups[this.#all.draw(dice)]! : this.#groupIn(from, dice);
    return { atMs, stream, group, leavesAtMs: atMs + stayMs };
  }

  #groupIn(audience: string, dice: Dice): Group {
    const { groups, lottery } = this.#networks.get(audience)!;
    return groups[lottery.draw(dice)]!;
  }
}
