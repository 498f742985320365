// Whether a turn of the planner may be left out: production takes each, here a plan that would say what the last one said costs time.

import type { Snapshot } from '../../../../network/state/state.ts';

/** Of calm turns, one in so many is taken. Who decides less often decides no better: this flatters nobody. */
const TURNS = 16;
/** Viewers ask for a stream faster by so many per second, and so many standard deviations, than when it was planned last. */
const [FASTER_PER_S, DEVIATIONS] = [3, 3];

export class Calm {
  #left = 0;
  #state = '';
  #speeds: ReadonlyMap<string, number> = new Map();

  /** False: the next turn is asked for again. */
  isTurn(snapshot: Snapshot): boolean {
    const state = stateOf(snapshot);
    const speeds = speedsOf(snapshot);
    const isCalm = state === this.#state && ![...speeds].some(([name, perS]) => this.#isFaster(name, perS));
    if (isCalm && this.#left > 0) {
      this.#left--;
      return false;
    }
    this.#left = TURNS - 1;
    this.#state = state;
    this.#speeds = speeds;
    return true;
  }

  #isFaster(stream: string, perS: number): boolean {
    const before = this.#speeds.get(stream) ?? 0;
    return perS > before + FASTER_PER_S + DEVIATIONS * Math.sqrt(before);
  }
}

/** Who is there, who is being emptied, and where broadcasts are. */
function stateOf({ nowMs, servers, drains, streams }: Snapshot): string {
  const silent = servers.filter(({ beatAtMs }) => nowMs - beatAtMs > SILENT_MS).map(({ id }) => id);
  const terms = streams.reduce((sum, { term, live }) => sum + term + (live ? 0.5 : 0), 0);
  return [servers.length, ...silent, ...Object.keys(drains), terms].join(' ');
}

const SILENT_MS = 2_000;

function speedsOf({ ushers }: Snapshot): Map<string, number> {
  const speeds = new Map<string, number>();
  for (const { demand } of ushers)
    for (const [stream, sites] of Object.entries(demand))
      speeds.set(
        stream,
        (speeds.get(stream) ?? 0) + Object.values(sites).reduce((sum, perS) => sum + perS, 0),
      );
  return speeds;
}
