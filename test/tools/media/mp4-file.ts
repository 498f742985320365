// Reads an MP4 file with mp4box.js: an independent reader of what we write, and the way to streams that ffmpeg 5.1 can't put into FLV.

import { createFile, MP4BoxBuffer } from 'mp4box';
import { findBox, needBox, readBoxes, viewOf } from '../../../network/media/boxes.ts';

export interface FileSample {
  readonly decodeTime: number;
  readonly compositionTime: number;
  readonly duration: number;
  readonly keyframe: boolean;
  readonly data: Uint8Array;
}

export interface FileTrack {
  readonly id: number;
  readonly codec: string;
  readonly timescale: number;
  readonly samples: readonly FileSample[];
}

/** Throws when mp4box.js finds no movie in the bytes. */
export function readMp4File(bytes: Uint8Array): FileTrack[] {
  const file = createFile();
  let ready: Parameters<NonNullable<typeof file.onReady>>[0] | undefined;
  file.onReady = (info) => {
    ready = info;
  };
  file.onError = (module, message) => {
    throw new Error(`mp4box ${module}: ${message}`);
  };
  file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(Uint8Array.from(bytes).buffer, 0));
  file.flush();
  if (!ready) throw new Error('mp4box found no movie');
  return ready.tracks.map(({ id, codec, timescale }) => ({
    id,
    codec,
    timescale,
    samples: file.getTrackSamplesInfo(id).map((sample) => ({
      decodeTime: sample.dts,
      compositionTime: sample.cts,
      duration: sample.duration,
      keyframe: sample.is_sync,
      data: bytes.subarray(sample.offset, sample.offset + sample.size),
    })),
  }));
}

/** The body of the codec's own box (`hvcC`, `dOps`, ...) in the sample entry of the first track that has one. */
export function configOf(bytes: Uint8Array, type: string): Uint8Array {
  const view = viewOf(bytes);
  const moov = needBox(view, ['moov']);
  for (const trak of readBoxes(view, moov.body, moov.end)) {
    if (trak.type !== 'trak') continue;
    const stsd = needBox(view, ['mdia', 'minf', 'stbl', 'stsd'], trak);
    const [entry] = readBoxes(view, stsd.body + 8, stsd.end);
    const isVisual = findBox(view, ['mdia', 'minf', 'vmhd'], trak);
    const inner = findBox(view, [type], { ...entry!, body: entry!.body + (isVisual ? 78 : 28) });
    if (inner) return bytes.subarray(inner.body, inner.end);
  }
  throw new Error(`no '${type}' box`);
}
