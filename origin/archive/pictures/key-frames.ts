// Key frames out of a recorded file, without reading what lies between them.

import type { RecordedSegment } from '../../../network/archive/index-file.ts';
import type { PlacedSegment } from '../../../network/archive/recording.ts';
import { CodedError } from '../../../network/errors.ts';
import { readHeader, viewOf } from '../../../network/media/boxes.ts';

/** The bytes in [at, at + bytes) of the file. */
export type Read = (at: number, bytes: number) => Promise<Uint8Array>;

/** Fragmented MP4 of key frames alone; the segments have one init. */
export async function* keyFrames(segments: readonly PlacedSegment[], read: Read): AsyncGenerator<Uint8Array> {
  const [first] = segments;
  if (!first) return;
  yield await read(first.init.at, first.init.bytes);
  for (const segment of segments) yield await readFirstChunk(segment, read);
}

/** Segments that follow one another and have the same init. */
export function runsByInit(segments: readonly PlacedSegment[]): PlacedSegment[][] {
  const runs: PlacedSegment[][] = [];
  for (const segment of segments) {
    const run = runs.at(-1);
    if (run && run[0]!.init === segment.init) run.push(segment);
    else runs.push([segment]);
  }
  return runs;
}

/** Most key frames are smaller. */
const FIRST_LOOK_BYTES = 256 * 1024;

/** A segment begins with its key frame, which is a chunk of its own: up to the end of its `mdat`. */
async function readFirstChunk({ at, bytes }: RecordedSegment, read: Read): Promise<Uint8Array> {
  const look = await read(at, Math.min(bytes, FIRST_LOOK_BYTES));
  const view = viewOf(look);
  for (let offset = 0; ; ) {
    const header = readHeader(view, offset);
    if (!header) throw new CodedError('bad_box', `no media in the first ${look.length} bytes of a segment`);
    offset += header.size;
    if (header.type !== 'mdat') continue;
    return offset <= look.length ? look.subarray(0, offset) : read(at, Math.min(bytes, offset));
  }
}
