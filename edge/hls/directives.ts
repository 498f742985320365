// Delivery directives (RFC 8216bis 6.2.5): what a playlist request asks for, and which part it has to wait for. Pure.

import { PART_MAX_MS } from '../../network/feed/hls-limits.ts';
import { quoted } from '../../network/names.ts';
import type { Place, Segments } from './segments.ts';

export interface Directives {
  readonly kind: 'directives';
  /** `_HLS_msn`: the playlist must hold this segment, or with `part` that part of it. */
  readonly msn: number | undefined;
  readonly part: number | undefined;
  /** `_HLS_skip`: a delta update will do. */
  readonly skip: boolean;
}

/** The detail says what is wrong, with the value. */
export interface BadDirectives {
  readonly kind: 'bad';
  readonly detail: string;
}

export const DECIMAL = /^\d{1,10}$/;

export function readDirectives(query: URLSearchParams): Directives | BadDirectives {
  for (const name of ['_HLS_msn', '_HLS_part']) {
    const text = query.get(name);
    if (text !== null && !DECIMAL.test(text))
      return { kind: 'bad', detail: `${name}=${quoted(text)} is not a decimal integer of up to 10 digits` };
  }
  const msn = numberIn(query, '_HLS_msn');
  const part = numberIn(query, '_HLS_part');
  if (part !== undefined && msn === undefined)
    return { kind: 'bad', detail: `_HLS_part=${part} without _HLS_msn` };
  return { kind: 'directives', msn, part, skip: ['YES', 'v2'].includes(query.get('_HLS_skip') ?? '') };
}

/** Why a server should refuse to wait for what is asked (6.2.5.2), or undefined when it should not. */
export function tooFarAhead(segments: Segments, { msn, part }: Directives): string | undefined {
  const { front } = segments;
  if (!front || msn === undefined || msn < front.msn) return undefined;
  const lastMsn = front.msn - 1;
  if (msn > lastMsn + 2)
    return `_HLS_msn=${msn} is more than two beyond segment ${lastMsn}, the last in the playlist`;
  const lastPart = msn === front.msn ? front.part - 1 : -1;
  const limit = advancePartLimit(segments.targetDurationS);
  if (part === undefined || part - lastPart <= limit) return undefined;
  return `_HLS_part=${part} of segment ${msn} is more than ${limit} beyond part ${lastPart}, the last in the playlist`;
}

/**
 * The part that has to be whole before the playlist can be sent, or undefined when all that is asked for is in it. A part
 * beyond the last of its segment is part 0 of the next one (6.2.5.2).
 */
export function awaitedPlace(segments: Segments, { msn, part }: Directives): Place | undefined {
  const { front } = segments;
  if (!front || msn === undefined) return undefined;
  if (part === undefined) return msn < front.msn ? undefined : { msn, part: LAST_PART };
  const closed = msn < front.msn ? segments.find(msn) : undefined;
  const isBeyond = closed !== undefined && part >= closed.parts.length;
  const wanted = isBeyond ? { msn: msn + 1, part: 0 } : { msn, part };
  return isBefore(wanted, front) ? undefined : wanted;
}

/** Stands for the end of a segment, however many parts it will have. */
export const LAST_PART = 2 ** 16 - 1;

function numberIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  return text === null ? undefined : Number(text);
}

function isBefore(one: Place, other: Place): boolean {
  return one.msn < other.msn || (one.msn === other.msn && one.part < other.part);
}

/**
 * The standard's Advance Part Limit is three seconds of parts. hls.js without low latency asks for the part that was the last
 * of the segment before, so a target duration of parts, each at least 85 % of the part target, is allowed as well.
 */
function advancePartLimit(targetDurationS: number): number {
  return Math.ceil((Math.max(3, targetDurationS / 0.85) * 1000) / PART_MAX_MS);
}
