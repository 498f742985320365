// What players report of how well it plays: figures as JSON, or changes of state as CMCD version 2 (CTA-5004-B) writes them.

import { z } from '../../network/config/yaml.ts';

/** `startupMs`: from when the viewer wished to watch to the first frame, told once. */
export type Report =
  /** Since the player's last report. */
  | {
      readonly kind: 'figures';
      readonly playedMs: number;
      readonly stalledMs: number;
      readonly rttMs?: number | undefined;
      readonly startupMs?: number | undefined;
    }
  | {
      readonly kind: 'states';
      readonly states: readonly PlayerState[];
      readonly startupMs?: number | undefined;
    };

/** What the player is in from a time on, by the player's clock. */
export interface PlayerState {
  readonly state: 'playing' | 'stalled' | 'other';
  readonly atMs: number;
}

const time = z.number().min(0).max(600_000);
export const FIGURES = z.strictObject({
  playedMs: time,
  stalledMs: time,
  rttMs: z.number().min(0).max(60_000).optional(),
  startupMs: time.optional(),
});

/** More events than a player has between two reports. */
const MAX_LINES = 50;
/** `sta` of CMCD: a player that plays, and one that rebuffers. Starting, seeking and pausing are nobody's fault. */
const STATES: Readonly<Record<string, PlayerState['state']>> = { p: 'playing', r: 'stalled' };

/** Undefined when it makes no sense. */
export function readReport(contentType: string, body: string): Report | undefined {
  if (/^application\/cmcd\b/i.test(contentType)) return readCmcd(body);
  try {
    const figures = FIGURES.safeParse(JSON.parse(body));
    return figures.success ? { kind: 'figures', ...figures.data } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A line for each event: `e=ps,sta=r,ts=1795213440000,...`. Events without a state say nothing here
 * but the media start delay (`msd`), which comes once.
 */
function readCmcd(body: string): Report {
  const lines = body.split('\n', MAX_LINES);
  const states = lines
    .map((line) => ({ sta: fieldOf(line, 'sta'), ts: Number(fieldOf(line, 'ts') ?? Number.NaN) }))
    .filter(({ sta, ts }) => sta !== undefined && ts >= 0 && ts < Number.MAX_SAFE_INTEGER)
    .map(({ sta, ts }): PlayerState => ({ state: STATES[sta!] ?? 'other', atMs: ts }));
  const delays = lines.map((line) => time.safeParse(Number(fieldOf(line, 'msd') ?? Number.NaN)));
  return { kind: 'states', states, startupMs: delays.find(({ success }) => success)?.data };
}

function fieldOf(line: string, key: 'sta' | 'ts' | 'msd'): string | undefined {
  return new RegExp(`(?:^|,)${key}=([a-z0-9]{1,20})(?:,|$)`).exec(line)?.[1];
}
