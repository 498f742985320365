// One recording as all who have some of it tell it. Pure.

import type { CatalogueEntry } from '../network/archive/catalogue.ts';
import type { Manifest } from '../network/archive/manifest.ts';
import { SOURCE } from '../network/feed/feeds.ts';

/** `entries` are of one recording, at least one, who says most first: what owners say of it all know alike. */
export function recordedAs(entries: readonly CatalogueEntry[]): Manifest {
  const [{ keeper: _, ...first }] = entries as [CatalogueEntry];
  const parts = partsOf(entries);
  const lastAtMs = Math.max(...entries.map((entry) => entry.lastAtMs));
  const lasts = entries.filter((entry) => entry.lastAtMs === lastAtMs);
  return {
    ...first,
    firstAtMs: Math.min(...entries.map((entry) => entry.firstAtMs)),
    lastAtMs,
    endedAtMs: lasts.find(({ endedAtMs }) => endedAtMs !== null)?.endedAtMs ?? null,
    durationMs: parts.reduce((sum, { durationMs }) => sum + durationMs, 0),
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    renditions: renditionsIn(entries),
    gaps: parts.flatMap(({ gaps }) => gaps),
    thumbnail: entries.find(({ thumbnail }) => thumbnail !== null)?.thumbnail ?? null,
  };
}

/**
 * When a broadcast moves to another server, each of the two has a part of it. Of those whose times overlap, the one that says
 * most stands for all: they have the same.
 */
function partsOf(entries: readonly CatalogueEntry[]): CatalogueEntry[] {
  const parts: CatalogueEntry[] = [];
  let endMs = Number.NEGATIVE_INFINITY;
  for (const entry of entries.toSorted((one, other) => one.firstAtMs - other.firstAtMs)) {
    const part = parts.at(-1);
    if (!part || entry.firstAtMs > endMs) parts.push(entry);
    else if (entry.durationMs > part.durationMs) parts[parts.length - 1] = entry;
    endMs = Math.max(endMs, entry.lastAtMs);
  }
  return parts;
}

/** The source first, which players begin with that take what comes first; then the best. */
function renditionsIn(entries: readonly CatalogueEntry[]): Manifest['renditions'] {
  const all = entries.flatMap(({ renditions }) => renditions);
  const byName = new Map(all.toReversed().map((rendition) => [rendition.name, rendition]));
  const isSource = (name: string): number => Number(name === SOURCE);
  return [...byName.values()].sort(
    (one, other) => isSource(other.name) - isSource(one.name) || other.averageBps - one.averageBps,
  );
}
