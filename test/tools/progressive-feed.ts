// Synthetic feeds for tests of delivery: chunks with true boxes, marks and times around frames of any size.

import { type Chunk, MARK_UUID, NTP_UNIX_OFFSET_S, readChunk, writeMark } from '../../network/chunk.ts';
import { Feed } from '../../network/feed.ts';
import type { Init, Track } from '../../network/init.ts';

export interface SyntheticOptions {
  /** Sequence number of the first chunk. */
  readonly first?: number;
  /** Bytes of a frame. */
  readonly frameBytes?: number;
  /** Frames from one key frame to the next. */
  readonly gop?: number;
  /** Wall clock at which the first frame arrived; each further one comes a frame later. */
  readonly startMs?: number;
  /** Whether `chunks` keeps what was written; true unless a test writes more than fits in memory. */
  readonly keeps?: boolean;
}

/** Writes frames of 25 video frames a second into a feed, and keeps what it wrote. */
export class SyntheticBroadcast {
  readonly feed: Feed;
  readonly chunks: Chunk[] = [];
  readonly #frameBytes: number;
  readonly #gop: number;
  readonly #startMs: number;
  readonly #keeps: boolean;
  #sequence: number;
  #written = 0;
  #frame = 0;
  #epoch = 1;
  #msn = 0;

  constructor(options: SyntheticOptions = {}, feed = new Feed()) {
    this.feed = feed;
    this.#keeps = options.keeps ?? true;
    this.#sequence = options.first ?? 1;
    this.#frameBytes = options.frameBytes ?? 1000;
    this.#gop = options.gop ?? 10;
    this.#startMs = options.startMs ?? 1_800_000_000_000;
  }

  get init(): Init {
    return initOf(this.#epoch);
  }

  /** Appends frames; the first of all begins an epoch, and each GOP a segment. */
  push(frames = 1): void {
    for (let pushed = 0; pushed < frames; pushed++)
      this.#push(this.#frame === 0, this.#frame % this.#gop === 0);
  }

  /** Begins another epoch, as after a broadcaster's reconnect, with the next frame. */
  restart(): void {
    this.#epoch++;
    this.#frame = 0;
  }

  /** The wire bytes of all chunks from a sequence number on, without inits. */
  bytesFrom(sequence: number): Buffer {
    return Buffer.concat(
      this.chunks.filter((chunk) => chunk.sequence >= sequence).map((chunk) => chunk.bytes),
    );
  }

  #push(startsEpoch: boolean, keyframe: boolean): void {
    if (startsEpoch) this.feed.begin(this.init);
    if (keyframe) this.#msn++;
    const index = this.#written++;
    const chunk = syntheticChunk({
      sequence: this.#sequence++,
      epoch: this.#epoch,
      msn: this.#msn,
      startsEpoch,
      keyframe,
      decodeTime: index * FRAME_TICKS,
      arrivedAtMs: this.#startMs + (index * 1000 * FRAME_TICKS) / TIMESCALE,
      frameBytes: this.#frameBytes,
    });
    this.#frame++;
    if (this.#keeps) this.chunks.push(chunk);
    this.feed.append(chunk);
  }
}

const TIMESCALE = 90_000;
const FRAME_TICKS = 3600;

const video: Track = {
  id: 1,
  kind: 'video',
  codec: 'avc1.42c01f',
  timescale: TIMESCALE,
  width: 640,
  height: 360,
  sampleRate: 0,
  channels: 0,
};

/** Not an init that anything could decode: two boxes, told apart by their epoch. */
function initOf(epoch: number): Init {
  const bytes = Buffer.concat([box('ftyp', Buffer.from('iso6')), box('moov', u32(epoch))]);
  return { bytes, tracks: [video], lead: video };
}

interface SyntheticChunk {
  readonly sequence: number;
  readonly epoch: number;
  readonly msn: number;
  readonly startsEpoch: boolean;
  readonly keyframe: boolean;
  readonly decodeTime: number;
  readonly arrivedAtMs: number;
  readonly frameBytes: number;
}

function syntheticChunk(chunk: SyntheticChunk): Chunk {
  const { sequence, epoch, msn, startsEpoch, keyframe, decodeTime, arrivedAtMs, frameBytes } = chunk;
  const mark = writeMark({
    epoch,
    msn,
    part: 0,
    discontinuitySequence: 0,
    startsEpoch,
    startsSegment: keyframe,
    startsPart: keyframe,
    targetDurationS: 1,
  });
  const ntp = u32(
    Math.floor(arrivedAtMs / 1000) + NTP_UNIX_OFFSET_S,
    ((arrivedAtMs % 1000) / 1000) * 2 ** 32,
  );
  const trun = u32(0x0100_0f01, 1, 0, FRAME_TICKS, frameBytes, keyframe ? 0x0200_0000 : 0x0101_0000, 0);
  const traf = box(
    'traf',
    box('tfhd', u32(0x02_0000, 1)),
    box('tfdt', u32(0x0100_0000, 0, decodeTime)),
    box('trun', trun),
  );
  const bytes = Buffer.concat([
    box('uuid', MARK_UUID, mark),
    box('prft', u32(0x0100_0000, 1), ntp, u32(0, decodeTime)),
    box('moof', box('mfhd', u32(0, sequence)), traf),
    box('mdat', Buffer.alloc(frameBytes, sequence)),
  ]);
  return readChunk(bytes);
}

function box(type: string, ...bodies: Uint8Array[]): Buffer {
  const body = Buffer.concat(bodies);
  return Buffer.concat([u32(8 + body.length), Buffer.from(type, 'latin1'), body]);
}

function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => {
    bytes.writeUInt32BE(Math.floor(value), index * 4);
  });
  return bytes;
}
