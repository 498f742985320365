// Reads the fragmented MP4 that ffmpeg writes, however its bytes arrive, as sample entries and samples. Pure.

import { CodedError } from '../../network/errors.ts';
import {
  findBox,
  HEADER_BYTES,
  needBox,
  readHeader,
  readOrThrow,
  viewOf,
} from '../../network/media/boxes.ts';
import { readTracks, type TrackDescription } from './tracks.ts';

/** One frame. Times are in ticks of the track's timescale. */
export interface EncodedSample {
  readonly decodeTime: number;
  readonly duration: number;
  /** Presentation minus decode time. */
  readonly composition: number;
  readonly keyframe: boolean;
  readonly data: Uint8Array;
}

export type Fragment =
  | { readonly kind: 'track'; readonly track: TrackDescription }
  | { readonly kind: 'sample'; readonly sample: EncodedSample };

/** Far above a frame of any rung. */
const MAX_BOX_BYTES = 16 * 1024 * 1024;

/** Of one output, which has one track. After an error it is of no more use. */
export class Fragments {
  #held: Uint8Array = new Uint8Array(0);
  /** The `moof` whose `mdat` comes next. */
  #moof: Uint8Array | undefined;

  /** What these bytes make whole. Throws `bad_fragment`, `bad_box`. */
  push(bytes: Uint8Array): Fragment[] {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const fragments: Fragment[] = [];
    for (let box = this.#next(); box; box = this.#next()) fragments.push(...this.#read(box));
    return fragments;
  }

  #next(): Uint8Array | undefined {
    const header = readHeader(viewOf(this.#held), 0);
    if (!header) {
      if (this.#held.length > 2 * HEADER_BYTES)
        throw new CodedError('bad_fragment', 'a header without an end');
      return undefined;
    }
    if (header.size > MAX_BOX_BYTES)
      throw new CodedError('bad_fragment', `box '${header.type}' of ${header.size} bytes is too large`);
    if (this.#held.length < header.size) return undefined;
    const box = this.#held.subarray(0, header.size);
    this.#held = this.#held.subarray(header.size);
    return box;
  }

  #read(box: Uint8Array): Fragment[] {
    const { type, headerBytes } = readHeader(viewOf(box), 0)!;
    if (type === 'moov') return readTracks(box).map((track) => ({ kind: 'track', track }));
    if (type === 'moof') this.#moof = box;
    if (type !== 'mdat' || !this.#moof) return [];
    const moof = this.#moof;
    this.#moof = undefined;
    const samples = readOrThrow('bad_fragment', 'a fragment', () =>
      readSamples(moof, box.subarray(headerBytes)),
    );
    return samples.map((sample) => ({ kind: 'sample', sample }));
  }
}

/** What each sample has of its own (`trun`, 8.8.8), and what it has of its fragment (`tfhd`, 8.8.7). */
function readSamples(moof: Uint8Array, data: Uint8Array): EncodedSample[] {
  const view = viewOf(moof);
  const traf = needBox(view, ['moof', 'traf']);
  const defaults = readDefaults(view, needBox(view, ['tfhd'], traf).body);
  const tfdt = findBox(view, ['tfdt'], traf);
  const trun = needBox(view, ['trun'], traf);
  const flags = view.getUint32(trun.body) & 0xffffff;
  let decodeTime = tfdt ? readDecodeTime(view, tfdt.body) : 0;
  let at = trun.body + 8 + (flags & 1 ? 4 : 0);
  const firstFlags = flags & 4 ? view.getUint32(at) : undefined;
  if (firstFlags !== undefined) at += 4;
  const take = (flag: number): number | undefined => {
    if ((flags & flag) === 0) return undefined;
    at += 4;
    return view.getInt32(at - 4);
  };
  const count = view.getUint32(trun.body + 4);
  // Four bytes can say four thousand million; a frame of ours has one byte at least.
  if (count > data.length) throw new CodedError('bad_fragment', `${count} samples in ${data.length} bytes`);
  const samples: EncodedSample[] = [];
  let from = 0;
  for (let index = 0; index < count; index++) {
    const duration = take(0x100) ?? defaults.duration;
    const size = (take(0x200) ?? defaults.size) >>> 0;
    const sampleFlags = take(0x400) ?? (index === 0 ? firstFlags : undefined) ?? defaults.flags;
    const composition = take(0x800) ?? 0;
    if (from + size > data.length)
      throw new CodedError('bad_fragment', 'a sample behind the end of its mdat');
    const keyframe = (sampleFlags & SAMPLE_IS_NON_SYNC) === 0;
    samples.push({ decodeTime, duration, composition, keyframe, data: data.subarray(from, from + size) });
    decodeTime += duration;
    from += size;
  }
  return samples;
}

const SAMPLE_IS_NON_SYNC = 0x00010000;

function readDefaults(view: DataView, body: number): { duration: number; size: number; flags: number } {
  const flags = view.getUint32(body) & 0xffffff;
  let at = body + 8 + (flags & 1 ? 8 : 0) + (flags & 2 ? 4 : 0);
  const take = (flag: number): number => {
    if ((flags & flag) === 0) return 0;
    at += 4;
    return view.getUint32(at - 4);
  };
  return { duration: take(8), size: take(0x10), flags: take(0x20) };
}

/** Unsigned by the standard; ffmpeg writes times before the beginning all the same. */
function readDecodeTime(view: DataView, body: number): number {
  return view.getUint8(body) === 1 ? Number(view.getBigInt64(body + 4)) : view.getUint32(body + 4);
}
