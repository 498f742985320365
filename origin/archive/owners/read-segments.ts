// Segments of a recording as they are written again: their bytes, each checked, and the init that they need.

import type { Found } from '../../../network/archive/library.ts';
import type { PlacedSegment } from '../../../network/archive/recording.ts';
import { CodedError } from '../../../network/errors.ts';
import { checksum } from '../recording/files.ts';
import type { NewSegment } from '../recording/recording-file.ts';

/** Rejects with `damaged` at bytes that are not what was recorded, and as what it reads from does. */
export async function* readSegments(
  segments: readonly PlacedSegment[],
  files: Found['files'],
): AsyncGenerator<NewSegment> {
  const inits: Uint8Array[] = [];
  for (const segment of segments) {
    const { kind: _, file, init, at, bytes, crc, ...record } = segment;
    const view = await files.get(file)!.read(at, at + bytes);
    if (checksum([view]) !== crc) throw new CodedError('damaged', `segment ${record.msn} is damaged`);
    yield { record, views: [view], init: await readInit(segment, files, inits) };
  }
}

/** The same bytes for the same init, whichever file each segment is in. */
async function readInit(
  { file, init }: PlacedSegment,
  files: Found['files'],
  inits: Uint8Array[],
): Promise<NewSegment['init']> {
  const { kind: _, at, bytes, ...record } = init;
  const read = await files.get(file)!.read(at, at + bytes);
  const known = inits.find((other) => Buffer.compare(other, read) === 0);
  if (!known) inits.push(read);
  return { bytes: known ?? read, record };
}
