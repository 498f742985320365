// Which recordings go: those that are old, and under pressure of space the oldest files that are safe elsewhere. Pure.

import { streamOf } from '../../../network/archive/catalogue.ts';
import type { Manifest } from '../../../network/archive/manifest.ts';
import type { StoredObject } from '../../../network/archive/storage.ts';

export interface Removal {
  readonly id: string;
  /** The folder of a disk, or whose storage it goes from as the catalogue says it. */
  readonly where: string;
  /** `expired`: all of it there. `space`: one file, for want of space. */
  readonly why: 'expired' | 'space';
  readonly file?: string;
  readonly bytes: number;
}

/** Days that a stream's recordings are kept; null: for ever. */
export type DaysOf = (stream: string) => number | null;

const DAY_MS = 86_400_000;
const DEBRIS_DAYS = 30;
/** Nobody is so long away and comes back to the same broadcast. */
const QUIET_MS = 3_600_000;

export function isExpired(manifest: Manifest, daysOf: DaysOf, nowMs: number): boolean {
  const { stream, lastAtMs, endedAtMs, isKept } = manifest;
  const days = daysOf(stream);
  const mayGrow = endedAtMs === null && nowMs - lastAtMs < QUIET_MS;
  return !isKept && !mayGrow && days !== null && nowMs - lastAtMs >= days * DAY_MS;
}

/** Of what nothing can be read, only when it began is known: it stays for longer, since it may have gone on. */
export function isOldDebris(id: string, daysOf: DaysOf, nowMs: number): boolean {
  const days = daysOf(streamOf(id));
  return days !== null && nowMs - startOf(id) >= (days + DEBRIS_DAYS) * DAY_MS;
}

/** Beside a file whose copy in long-term storage was verified. */
export const STORED = '.stored';

/**
 * Files to be removed from a disk so that `wantedBytes` become free, of the objects that lie there: the oldest recordings first,
 * each from its beginning, and only what is in long-term storage too. A recording that grows loses its beginning like any other.
 */
export function filesToFree(objects: readonly StoredObject[], wantedBytes: number, where: string): Removal[] {
  const sizes = new Map(objects.map(({ key, bytes }) => [key, bytes]));
  const stored = [...sizes.keys()].flatMap((key) =>
    key.endsWith(STORED) ? [key.slice(0, -STORED.length)] : [],
  );
  const removals: Removal[] = [];
  let freed = 0;
  for (const path of stored.sort(byAge)) {
    if (freed >= wantedBytes) break;
    const [id, file] = path.split('/') as [string, string];
    const bytes = (sizes.get(`${path}.mp4`) ?? 0) + (sizes.get(`${path}.index`) ?? 0);
    removals.push({ id, where, why: 'space', file, bytes });
    freed += bytes;
  }
  return removals;
}

function byAge(one: string, other: string): number {
  const [oneId = '', otherId = ''] = [one, other].map((path) => path.slice(0, path.indexOf('/')));
  return startOf(oneId) - startOf(otherId) || (one < other ? -1 : 1);
}

/** When it began, as its id says it. */
function startOf(id: string): number {
  return Number.parseInt(id.slice(id.lastIndexOf('.') + 1), 36);
}
