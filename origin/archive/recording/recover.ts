// What a server that stopped in the middle has left on a disk: files without an end are cut back to what is whole, and ended.

import {
  type FileIndex,
  isClosed,
  isFileName,
  isRecordingId,
  type RecordedSegment,
  readIndex,
  segmentsOf,
  writeLine,
} from '../../../network/archive/index-file.ts';
import { CodedError, reasonOf } from '../../../network/errors.ts';
import type { Logger } from '../../../network/logger.ts';
import { checksum, type Files } from './files.ts';

export interface RecoverOptions {
  readonly files: Files;
  readonly logger: Logger;
  readonly nowMs: number;
}

/** Gives how many files it has ended. A file that makes no sense is left as it is, and told of. */
export async function recoverDisk(folder: string, options: RecoverOptions): Promise<number> {
  let ended = 0;
  for (const recording of await options.files.list(folder)) {
    if (!isRecordingId(recording)) continue;
    await removeEmpty(`${folder}/${recording}`, options.files);
    for (const path of await filesIn(`${folder}/${recording}`, options.files)) {
      try {
        if (await recoverFile(path, options)) ended += 1;
      } catch (error) {
        options.logger.error({ recording, file: path, reason: reasonOf(error) }, 'recorded file is damaged');
      }
    }
  }
  return ended;
}

/** Paths of a recording's files on one disk, without `.mp4` and `.index`, oldest first. */
export async function filesIn(folder: string, files: Files): Promise<string[]> {
  const names = (await files.list(folder)).flatMap((name) => {
    const stem = name.replace(/\.index$/, '');
    return stem !== name && isFileName(stem) ? [stem] : [];
  });
  return names.sort().map((name) => `${folder}/${name}`);
}

/** A stop between the making of a file and that of its index leaves a name in the way. */
async function removeEmpty(folder: string, files: Files): Promise<void> {
  const names = await files.list(folder);
  const alone = names.filter(
    (name) => name.endsWith('.mp4') && !names.includes(name.replace(/\.mp4$/, '.index')),
  );
  for (const name of alone)
    if ((await files.read(`${folder}/${name}`, 0, 1)).length === 0) await files.remove(`${folder}/${name}`);
}

/** Gives whether there was something to do. */
export async function recoverFile(path: string, { files, nowMs }: RecoverOptions): Promise<boolean> {
  const text = (await files.read(`${path}.index`)).toString('utf8');
  const index = readWritten(text);
  if (!index) {
    await remove(path, files);
    return true;
  }
  if (isClosed(index)) return false;
  const whole = await wholeSegments(path, index, files);
  const last = whole.at(-1);
  if (!last) {
    await remove(path, files);
    return true;
  }
  await files.truncate(`${path}.index`, bytesUntil(text, index, last));
  await files.truncate(`${path}.mp4`, last.at + last.bytes);
  await files.append(`${path}.index`, writeLine({ kind: 'end', isLast: false, atMs: nowMs }));
  return true;
}

/** Undefined of a file whose first line was never written whole: it has nothing yet. */
function readWritten(text: string): FileIndex | undefined {
  return text.includes('\n') ? readIndex(text) : undefined;
}

/** After a power cut the last ones may be in the index alone: they are tried from behind until one is whole. */
async function wholeSegments(path: string, index: FileIndex, files: Files): Promise<RecordedSegment[]> {
  const segments = segmentsOf(index);
  while (segments.length > 0 && !(await isWhole(path, segments.at(-1)!, files))) segments.pop();
  return segments;
}

async function isWhole(path: string, { at, bytes, crc }: RecordedSegment, files: Files): Promise<boolean> {
  const read = await files.read(`${path}.mp4`, at, bytes);
  return read.length === bytes && checksum([read]) === crc;
}

/** Of the index, up to the end of a segment's line. */
function bytesUntil(text: string, index: FileIndex, last: RecordedSegment): number {
  const at = index.lines.indexOf(last);
  if (at < 0) throw new CodedError('bad_index', `segment ${last.msn} is not in its index`);
  const lines = text.split('\n').slice(0, at + 2);
  return Buffer.byteLength(`${lines.join('\n')}\n`);
}

async function remove(path: string, files: Files): Promise<void> {
  await files.remove(`${path}.mp4`);
  await files.remove(`${path}.index`);
}
