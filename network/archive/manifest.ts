// The manifest of a recording, which lies beside its files: what they tell of it, in few words, and what its owner says of it.

import { z } from '../config/yaml.ts';
import { CodedError, reasonOf } from '../errors.ts';
import { isStreamName, quoted } from '../names.ts';
import { isRecordingId } from './index-file.ts';
import type { Recording } from './recording.ts';

const count = z.number().min(0);
const rendition = z.object({
  name: z.string().refine(isStreamName),
  codecs: z.string(),
  width: count,
  height: count,
  frameRate: count,
  peakBps: count,
  averageBps: count,
});
const gap = z.object({ kind: z.literal('gap'), fromMsn: count, toMsn: count, reason: z.string() });

export const manifestSchema = z.object({
  id: z.string().refine(isRecordingId),
  stream: z.string().refine(isStreamName),
  /** Ms since the Unix epoch, as all of these. */
  startedAtMs: count,
  /** Null while it may go on. */
  endedAtMs: count.nullable(),
  /** When the first segment came that is there, and the last. */
  firstAtMs: count,
  lastAtMs: count,
  durationMs: count,
  /** Of its segments. */
  bytes: count,
  /** Of the files that this was read from: with others it is out of date. */
  mediaBytes: count,
  renditions: z.array(rendition).min(1),
  gaps: z.array(gap),
  title: z.string(),
  /** For ever, until its owner says otherwise. */
  isKept: z.boolean(),
  /** Id of the recording that it was cut out of. */
  clipOf: z.string().nullable(),
  /** Name of the file whose picture shows it; null: there is none. */
  thumbnail: z.string().nullable(),
});

type DeepReadonly<T> = { readonly [Key in keyof T]: T[Key] extends object ? DeepReadonly<T[Key]> : T[Key] };
export type Manifest = DeepReadonly<z.output<typeof manifestSchema>>;

/** What its owner says of it. */
export type Said = Pick<Manifest, 'title' | 'isKept'>;

export const NOTHING_SAID: Said = { title: '', isKept: false };
export const MAX_TITLE = 200;
/** Its name in the folder of a recording. */
export const MANIFEST = 'manifest.json';
export const MAX_MANIFEST_BYTES = 1024 * 1024;
/** Gaps beyond these are told by the recording's files alone. */
const MAX_GAPS = 100;

/** `lies` is what lies there of it. Clips are kept, unless their owner says otherwise. */
export function describeRecording(
  recording: Recording,
  lies: Pick<Manifest, 'mediaBytes' | 'thumbnail'>,
  said: Said | undefined,
): Manifest {
  const { id, stream, startedAtMs, endedAtMs = null, clipOf = null, renditions } = recording;
  return {
    id,
    stream,
    startedAtMs,
    endedAtMs,
    firstAtMs: Math.min(...renditions.map(({ segments }) => segments[0]!.arrivedAtMs)),
    lastAtMs: Math.max(...renditions.map(({ segments }) => segments.at(-1)!.arrivedAtMs)),
    durationMs: Math.round(Math.max(...renditions.map(({ durationUs }) => durationUs)) / 1000),
    bytes: renditions.reduce((sum, { bytes }) => sum + bytes, 0),
    ...lies,
    renditions: renditions.map(({ name, segments, peakBps, averageBps }) => {
      const { codecs, width, height, frameRate } = segments.at(-1)!.init;
      return { name, codecs, width, height, frameRate, peakBps, averageBps };
    }),
    gaps: renditions.flatMap(({ gaps }) => gaps).slice(0, MAX_GAPS),
    clipOf,
    ...(said ? saidIn(said) : { title: '', isKept: clipOf !== null }),
  };
}

export function saidIn({ title, isKept }: Said): Said {
  return { title, isKept };
}

/** Throws `bad_manifest` for what is none of this recording. */
export function readManifest(text: string, id: string): Manifest {
  try {
    const manifest = manifestSchema.parse(JSON.parse(text));
    if (manifest.id === id) return manifest;
    throw new Error(`it is of ${quoted(manifest.id)}`);
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : reasonOf(error);
    throw new CodedError('bad_manifest', `the manifest of ${quoted(id)} makes no sense: ${reason}`, {
      cause: error,
    });
  }
}

export function writeManifest(manifest: Manifest): Buffer {
  return Buffer.from(`${JSON.stringify(manifest)}\n`);
}
