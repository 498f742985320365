// Writes feeds for tests of delivery: frames with true boxes, marks and times, from a description of the broadcast.

import { Feed } from '../../../network/feed/feed.ts';
import type { Mark } from '../../../network/media/chunk.ts';
import { type Chunk, readChunk } from '../../../network/media/chunk.ts';
import {
  AUDIO_TRACK_ID,
  VIDEO_TIMESCALE,
  VIDEO_TRACK_ID,
  writeChunk,
  writeInit,
} from '../../../network/media/fmp4.ts';
import { type Init, readInit } from '../../../network/media/init.ts';
import { box, u16, u32, write, zeros } from '../../../network/media/write-boxes.ts';
import { FILLER_CONFIG } from '../../../origin/packager/codec/aac.ts';
import { readAudioFormat } from '../../../origin/packager/codec/audio-format.ts';

export interface Broadcast {
  /** 0 for audio only. */
  readonly fps: number;
  /** Seconds from one key frame to the next. */
  readonly gopS: number;
  /** Seconds after which a segment is cut, with or without a key frame. */
  readonly cutS: number;
  /** Pixels: another width is another init. */
  readonly width: number;
  readonly hasAudio: boolean;
  readonly frameBytes: number;
  /** What a frame holds; by default its number over and over. */
  readonly fill: (data: Uint8Array, sequence: number) => void;
  /** Ticks of 90 kHz from a video frame to its successor. */
  readonly frameTicks: (frame: number, fps: number) => number;
}

/** What the first chunk is numbered with. */
export interface Beginning extends Pick<Mark, 'epoch' | 'msn' | 'discontinuitySequence'> {
  readonly sequence?: number;
}

const USUAL: Broadcast = {
  fps: 30,
  gopS: 1,
  cutS: 10,
  width: 640,
  hasAudio: true,
  frameBytes: 40,
  fill: (data, sequence) => void data.fill(sequence),
  frameTicks: (frame, fps) => ticksAt(frame + 1, fps) - ticksAt(frame, fps),
};

/** 2026-11-20T22:24:00Z. */
const FIRST_ARRIVAL_MS = 1_795_213_440_000;
const AUDIO_RATE = 48_000;
const AUDIO_SAMPLES = 1024;
const PART_S = 0.2;

/** Appends to a feed what a broadcaster would cause the origin to append. Nothing in it is by chance or by clock. */
export class Broadcaster {
  readonly feed: Feed;
  #broadcast: Broadcast;
  #first: Pick<Mark, 'epoch' | 'discontinuitySequence'>;
  #init: Init | undefined;
  #sequence: number;
  #msn: number;
  #part = 0;
  #targetDurationS = 0;
  /** On the feed's timeline, ticks of 90 kHz. */
  #epochTicks = 0;
  #segmentTicks = 0;
  #partTicks = 0;
  #nextTicks = 0;
  /** Since the epoch's beginning. */
  #frame = 0;
  #audioFrame = 0;
  #sinceKeyframeTicks = 0;
  /** What the wall clock is ahead of the timeline. */
  #silenceMs = 0;

  constructor(
    broadcast: Partial<Broadcast> = {},
    feed = new Feed(),
    first: Beginning = { epoch: 100, msn: 0, discontinuitySequence: 0 },
  ) {
    this.#broadcast = { ...USUAL, ...broadcast };
    this.feed = feed;
    this.#first = first;
    this.#msn = first.msn - 1;
    this.#sequence = first.sequence ?? 1;
  }

  /** Sequence number of the next chunk. */
  get next(): number {
    return this.#sequence;
  }

  /** Sends so many seconds of media, to the nearest frame of the track that leads. */
  play(seconds: number): this {
    const until = this.#nextTicks + seconds * VIDEO_TIMESCALE - 1;
    while (this.#nextTicks < until) this.frame();
    return this;
  }

  /** Sends one frame of the track that leads, and before it the audio that is due by then. */
  frame(): this {
    if (this.#broadcast.fps === 0) this.#audio();
    else this.#video();
    return this;
  }

  /** Nothing comes for so many seconds of wall clock. */
  silence(seconds: number): this {
    this.#silenceMs += seconds * 1000;
    return this;
  }

  /** The next frame begins another epoch, with changes if there are any. */
  restart(changes: Partial<Broadcast> = {}): this {
    this.#broadcast = { ...this.#broadcast, ...changes };
    if (!this.#init) return this;
    const { epoch, discontinuitySequence } = this.#first;
    this.#closeSegment(this.#nextTicks);
    this.#first = { epoch: epoch + 1, discontinuitySequence: discontinuitySequence + 1 };
    this.#init = undefined;
    this.#frame = 0;
    this.#audioFrame = 0;
    return this;
  }

  end(): this {
    this.feed.end('the test ends it');
    return this;
  }

  #video(): void {
    const { fps, frameTicks, gopS, hasAudio } = this.#broadcast;
    const decodeTime = this.#nextTicks;
    while (
      hasAudio &&
      this.#init &&
      this.#audioTicks(this.#audioFrame + 1) <= decodeTime - this.#epochTicks
    ) {
      this.#append(AUDIO_TRACK_ID, this.#audioTime(), AUDIO_SAMPLES, true, this.#mark());
    }
    const keyframe = !this.#init || this.#sinceKeyframeTicks >= gopS * VIDEO_TIMESCALE - 1;
    if (keyframe) this.#sinceKeyframeTicks = 0;
    const duration = frameTicks(this.#frame++, fps);
    const mark = this.#lead(decodeTime, keyframe);
    this.#append(VIDEO_TRACK_ID, decodeTime, duration, keyframe, mark);
    this.#nextTicks += duration;
    this.#sinceKeyframeTicks += duration;
  }

  #audio(): void {
    const decodeTicks = this.#nextTicks;
    const mark = this.#lead(decodeTicks, decodeTicks - this.#segmentTicks >= 2 * VIDEO_TIMESCALE);
    this.#append(AUDIO_TRACK_ID, this.#audioTime(), AUDIO_SAMPLES, true, mark);
    this.#nextTicks = this.#epochTicks + this.#audioTicks(this.#audioFrame);
  }

  /** The mark of a frame of the track that leads, which may begin something. */
  #lead(ticks: number, mayBeginSegment: boolean): Mark {
    const startsEpoch = !this.#init;
    if (startsEpoch) this.#beginEpoch(ticks);
    const sinceSegmentS = (ticks - this.#segmentTicks) / VIDEO_TIMESCALE;
    const startsSegment = startsEpoch || mayBeginSegment || sinceSegmentS >= this.#broadcast.cutS - 0.001;
    if (startsSegment) this.#beginSegment(ticks, startsEpoch);
    const startsPart = startsSegment || ticks - this.#partTicks >= PART_S * VIDEO_TIMESCALE - 1500;
    if (startsPart && !startsSegment) this.#part++;
    if (startsPart) this.#partTicks = ticks;
    return { ...this.#mark(), startsEpoch, startsSegment, startsPart };
  }

  #beginEpoch(ticks: number): void {
    const audio = readAudioFormat('aac', FILLER_CONFIG);
    const { width, fps } = this.#broadcast;
    const video = fps === 0 ? undefined : { width, height: 360, sampleEntry: videoEntry(width) };
    this.#init = readInit(writeInit({ video, audio }));
    this.#epochTicks = ticks;
    this.feed.begin(this.#init);
  }

  #beginSegment(ticks: number, startsEpoch: boolean): void {
    if (!startsEpoch) this.#closeSegment(ticks);
    this.#msn++;
    this.#part = 0;
    this.#segmentTicks = ticks;
  }

  #closeSegment(ticks: number): void {
    this.#targetDurationS ||= Math.max(1, Math.round((ticks - this.#segmentTicks) / VIDEO_TIMESCALE));
  }

  #mark(): Mark {
    return {
      ...this.#first,
      msn: this.#msn,
      part: this.#part,
      startsEpoch: false,
      startsSegment: false,
      startsPart: false,
      targetDurationS: this.#targetDurationS,
    };
  }

  #append(trackId: number, decodeTime: number, duration: number, keyframe: boolean, mark: Mark): void {
    if (trackId === AUDIO_TRACK_ID) this.#audioFrame++;
    const sequence = this.#sequence++;
    const elapsedMs = Math.round((this.#nextTicks / VIDEO_TIMESCALE) * 1000);
    const arrivedAtMs = FIRST_ARRIVAL_MS + elapsedMs + this.#silenceMs;
    const data = new Uint8Array(this.#broadcast.frameBytes);
    this.#broadcast.fill(data, sequence);
    const times = { decodeTime, duration, composition: 0 };
    const chunk: Chunk = readChunk(
      writeChunk({ sequence, mark, arrivedAtMs, trackId, ...times, keyframe, data }),
    );
    this.feed.append(chunk);
  }

  /** Samples of the next audio frame on the feed's timeline. */
  #audioTime(): number {
    return Math.ceil((this.#epochTicks / VIDEO_TIMESCALE) * AUDIO_RATE) + this.#audioFrame * AUDIO_SAMPLES;
  }

  #audioTicks(frames: number): number {
    return (frames * AUDIO_SAMPLES * VIDEO_TIMESCALE) / AUDIO_RATE;
  }
}

function ticksAt(frame: number, fps: number): number {
  return Math.round((frame * VIDEO_TIMESCALE) / fps);
}

/** A sample entry that no decoder is asked to use. */
function videoEntry(width: number): Uint8Array {
  const avcC = box('avcC', Uint8Array.from([1, 0x42, 0xc0, 0x1f, 0xff, 0xe0, 0]));
  return write(
    box(
      'avc1',
      zeros(6),
      u16(1),
      zeros(16),
      u16(width),
      u16(360),
      u32(0x00480000),
      u32(0x00480000),
      zeros(4),
      u16(1),
      zeros(32),
      u16(0x18),
      u16(0xffff),
      avcC,
    ),
  );
}
