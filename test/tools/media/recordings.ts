// Writes recordings as a recorder leaves them, of bytes that nobody would play.

import type { CatalogueEntry } from '../../../network/archive/catalogue.ts';
import { recordingId } from '../../../network/archive/index-file.ts';
import { systemFiles } from '../../../origin/archive/recording/files.ts';
import { type NewSegment, RecordingFile } from '../../../origin/archive/recording/recording-file.ts';

export interface WrittenRecording {
  /** One disk's. */
  readonly folder: string;
  readonly stream: string;
  readonly startedAtMs: number;
  /** Of 1 s each. */
  readonly segments?: number;
  readonly segmentBytes?: number;
  /** Media sequence number of the first. */
  readonly msn?: number;
  /** Whether its file was ended in order. */
  readonly isClosed?: boolean;
  readonly isLast?: boolean;
}

/** Gives the path of its file without `.mp4` and `.index`. */
export async function writeRecording(written: WrittenRecording): Promise<string> {
  const { folder, stream, startedAtMs, segments = 5, msn = 0, isClosed = true, isLast = true } = written;
  const header = { recording: recordingId(stream, startedAtMs), stream, rendition: 'source', startedAtMs };
  const all = Array.from({ length: segments }, (_, at) => segmentOf(written, msn + at));
  const file = await RecordingFile.create(folder, header, all[0]!, systemFiles);
  for (const segment of all) await file.append(segment);
  if (isClosed) await file.end(isLast, startedAtMs + (msn + segments) * 1000);
  else await file.abandon();
  return file.path;
}

/** What a keeper says of a recording of a minute; the changes are what a test is about. */
export function catalogueEntry(
  stream: string,
  startedAtMs: number,
  keeper: string,
  changes: Partial<CatalogueEntry> = {},
): CatalogueEntry {
  return {
    id: recordingId(stream, startedAtMs),
    stream,
    keeper,
    startedAtMs,
    endedAtMs: null,
    firstAtMs: startedAtMs,
    lastAtMs: startedAtMs + 59_000,
    durationMs: 60_000,
    bytes: 1,
    mediaBytes: 1,
    renditions: [
      {
        name: 'source',
        codecs: 'avc1.64001f,mp4a.40.2',
        ...{ width: 1280, height: 720, frameRate: 30 },
        ...{ peakBps: 5e6, averageBps: 4e6 },
      },
    ],
    gaps: [],
    title: '',
    isKept: false,
    clipOf: null,
    thumbnail: null,
    ...changes,
  };
}

const INIT: NewSegment['init'] = {
  bytes: Buffer.from('an init'),
  record: { codecs: 'avc1.42c01f,mp4a.40.2', width: 640, height: 360, frameRate: 30 },
};

function segmentOf({ startedAtMs, segmentBytes = 1_000 }: WrittenRecording, msn: number): NewSegment {
  return {
    init: INIT,
    views: [Buffer.alloc(segmentBytes, `${msn} `)],
    record: {
      msn,
      epoch: 100,
      discontinuitySequence: 0,
      startUs: msn * 1_000_000,
      endUs: (msn + 1) * 1_000_000,
      arrivedAtMs: startedAtMs + msn * 1000,
      isIndependent: true,
    },
  };
}
