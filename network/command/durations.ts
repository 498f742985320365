// Spans of time as people write and read them. Pure.

import { CodedError } from '../errors.ts';
import { quoted } from '../names.ts';

const UNITS_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 };

/** `90s`, `15m`, `12h`, `30d`. Throws `bad_usage`. */
export function readDurationMs(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (!count || !unit)
    throw new CodedError('bad_usage', `a time is a number and s, m, h or d; got ${quoted(text)}`);
  return Number(count) * UNITS_MS[unit]!;
}

/** In its two largest units: `3 d 4 h`, `2 min 5 s`, `0 s`. */
export function durationText(ms: number): string {
  const words: Readonly<Record<string, string>> = { d: 'd', h: 'h', m: 'min', s: 's' };
  let left = Math.max(0, Math.round(ms / 1000) * 1000);
  const parts: string[] = [];
  for (const [unit, unitMs] of Object.entries(UNITS_MS)) {
    const count = Math.floor(left / unitMs);
    left -= count * unitMs;
    if (count > 0) parts.push(`${count} ${words[unit]}`);
  }
  return parts.slice(0, 2).join(' ') || '0 s';
}
