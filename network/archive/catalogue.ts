// Which recordings there are and who has their bytes, for quick answers. It is made of what lies on disks, and can be made again.

import type { Gap } from './index-file.ts';
import type { Recording } from './recording.ts';

export interface CataloguedRendition {
  readonly name: string;
  readonly codecs: string;
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  readonly peakBps: number;
  readonly averageBps: number;
}

/** What one keeper of bytes says of a recording. */
export interface CatalogueEntry {
  readonly id: string;
  readonly stream: string;
  /** Id of the server that has it on its disks; `storage` for what long-term storage has. */
  readonly keeper: string;
  /** Ms since the Unix epoch. */
  readonly startedAtMs: number;
  /** Null while it may go on. */
  readonly endedAtMs: number | null;
  readonly durationMs: number;
  readonly bytes: number;
  readonly renditions: readonly CataloguedRendition[];
  readonly gaps: readonly Gap[];
}

/** Long-term storage as a keeper. */
export const STORAGE = 'storage';
/** Gaps beyond these are counted in the recording itself. */
const GAPS_TOLD = 100;

/** Every verb rejects with `state_unavailable` when the catalogue can't be reached. */
export interface Catalogue {
  /** Says what a keeper has; it replaces what that keeper said of the recording before. */
  note(entry: CatalogueEntry): Promise<void>;
  /** A keeper has it no longer. */
  drop(id: string, keeper: string): Promise<void>;
  /** All that is said of a stream's recordings, the newest recording first. */
  list(stream: string): Promise<CatalogueEntry[]>;
}

export function describeRecording(recording: Recording, keeper: string): CatalogueEntry {
  const { id, stream, startedAtMs, endedAtMs = null, renditions } = recording;
  return {
    id,
    stream,
    keeper,
    startedAtMs,
    endedAtMs,
    durationMs: Math.round(Math.max(...renditions.map(({ durationUs }) => durationUs)) / 1000),
    bytes: renditions.reduce((sum, { bytes }) => sum + bytes, 0),
    renditions: renditions.map(({ name, segments, peakBps, averageBps }) => {
      const { codecs, width, height, frameRate } = segments.at(-1)!.init;
      return { name, codecs, width, height, frameRate, peakBps, averageBps };
    }),
    gaps: renditions.flatMap(({ gaps }) => gaps).slice(0, GAPS_TOLD),
  };
}

/** The newest recording first, one recording's keepers together: who has most of it first, a server before storage. */
export function inCatalogueOrder(entries: readonly CatalogueEntry[]): CatalogueEntry[] {
  const storageLast = (entry: CatalogueEntry): number => (entry.keeper === STORAGE ? 1 : 0);
  return entries.toSorted(
    (one, other) =>
      other.startedAtMs - one.startedAtMs ||
      other.durationMs - one.durationMs ||
      storageLast(one) - storageLast(other) ||
      (one.keeper < other.keeper ? -1 : 1),
  );
}
