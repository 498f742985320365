// Quality as players report it, by site and the viewer's network: how often they stall, and the round-trip time. Pure.

export interface Report {
  readonly site: string;
  readonly asn: number;
  /** Since the player's last report. */
  readonly playedMs: number;
  readonly stalledMs: number;
  /** Not known of every player. */
  readonly rttMs?: number;
}

export interface Measured {
  /** Part of the time that viewers there stand still, 0 to 1. */
  readonly stallRatio: number;
  readonly rttMs: number | undefined;
}

/** After this long a report counts half: a path that got well again gets viewers again. */
const HALF_LIFE_MS = 300_000;
/** As if so long had been watched without a stall before the first report: one bad player says little of a network. */
const PRIOR_MS = 600_000;
/** Networks that are remembered; past that the one that was not heard of for longest is forgotten. */
const MAX_NETWORKS = 10_000;
/** What one report may say at most: a player reports about once a minute, and nobody's word counts for more. */
const MAX_REPORT_MS = 120_000;

interface Pair {
  atMs: number;
  playedMs: number;
  stalledMs: number;
  rttWeight: number;
  rttSumMs: number;
}

export class Quality {
  /** By network, the one that was heard of last at the end, then by site. */
  readonly #networks = new Map<number, Map<string, Pair>>();

  /** Times are of one clock. A report of nonsense (negative, infinite) is dropped. */
  report({ site, asn, playedMs, stalledMs, rttMs }: Report, nowMs: number): void {
    const total = playedMs + stalledMs;
    if (!(playedMs >= 0 && stalledMs >= 0 && total > 0 && total < Number.POSITIVE_INFINITY)) return;
    const sites = this.#networks.get(asn) ?? new Map<string, Pair>();
    const pair = decayed(sites.get(site) ?? nothing(nowMs), nowMs);
    const scale = Math.min(1, MAX_REPORT_MS / total);
    pair.playedMs += playedMs * scale;
    pair.stalledMs += stalledMs * scale;
    if (rttMs !== undefined && rttMs >= 0 && rttMs < 10_000) {
      pair.rttWeight += 1;
      pair.rttSumMs += rttMs;
    }
    sites.set(site, pair);
    this.#networks.delete(asn);
    this.#networks.set(asn, sites);
    if (this.#networks.size > MAX_NETWORKS) this.#networks.delete(this.#networks.keys().next().value!);
  }

  /** Undefined: nothing was heard of late. */
  of(site: string, asn: number | undefined, nowMs: number): Measured | undefined {
    const pair = asn === undefined ? undefined : this.#networks.get(asn)?.get(site);
    if (!pair) return undefined;
    const share = shareLeft(pair, nowMs);
    const stalledMs = pair.stalledMs * share;
    return {
      stallRatio: stalledMs / (stalledMs + pair.playedMs * share + PRIOR_MS),
      rttMs: pair.rttWeight > 0 ? pair.rttSumMs / pair.rttWeight : undefined,
    };
  }
}

function nothing(atMs: number): Pair {
  return { atMs, playedMs: 0, stalledMs: 0, rttWeight: 0, rttSumMs: 0 };
}

function decayed(pair: Pair, nowMs: number): Pair {
  const share = shareLeft(pair, nowMs);
  return {
    atMs: nowMs,
    playedMs: pair.playedMs * share,
    stalledMs: pair.stalledMs * share,
    rttWeight: pair.rttWeight * share,
    rttSumMs: pair.rttSumMs * share,
  };
}

function shareLeft({ atMs }: Pair, nowMs: number): number {
  return 0.5 ** (Math.max(0, nowMs - atMs) / HALF_LIFE_MS);
}
