// One epoch: frames of one video and one audio format become chunks, with silence where audio is missing. Pure.

import type { Chunk, Mark } from '../../network/media/chunk.ts';
import {
  AUDIO_TRACK_ID,
  makeChunk,
  type Sample,
  VIDEO_TIMESCALE,
  VIDEO_TRACK_ID,
  writeInit,
} from '../../network/media/fmp4.ts';
import { type Init, readInit } from '../../network/media/init.ts';
import { AudioClock } from './audio-clock.ts';
import type { AudioFormat } from './codec/audio-format.ts';
import type { VideoFormat } from './codec/video-format.ts';
import type { Cuts } from './cuts.ts';
import type { AudioFrame, VideoFrame } from './hold.ts';
import { VideoClock } from './video-clock.ts';

/** Audio this far behind the video has stopped: silence takes its place until it is back. */
const STOPPED_MS = 500;
const TICKS_PER_MS = VIDEO_TIMESCALE / 1000;

export interface Formats {
  readonly video: VideoFormat | undefined;
  readonly audio: AudioFormat;
}

export interface EpochStart {
  readonly epoch: number;
  readonly sequence: number;
  /** Where on the feed's timeline, in 90 kHz ticks, media time `startMs` of this connection lies. */
  readonly startTicks: number;
  readonly startMs: number;
  /** Distance of video frames, as far as it is known. */
  readonly stepTicks: number | undefined;
}

export class Epoch {
  readonly init: Init;
  readonly formats: Formats;
  readonly #start: EpochStart;
  readonly #cuts: Cuts;
  readonly #videoClock: VideoClock;
  readonly #audioClock: AudioClock;
  #chunks: Chunk[] = [];
  #sequence: number;
  #videoEndTicks: number;
  #hasBegun = false;
  /** Whether the audio is ours, because the broadcaster has none, none in this format, or stopped sending it. */
  #isSilent = false;
  #arrivedAtMs = 0;

  constructor(formats: Formats, start: EpochStart, cuts: Cuts) {
    this.init = readInit(writeInit(formats));
    this.formats = formats;
    this.#start = start;
    this.#cuts = cuts;
    this.#sequence = start.sequence;
    this.#videoEndTicks = start.startTicks;
    this.#videoClock = new VideoClock(start.stepTicks);
    this.#audioClock = new AudioClock(formats.audio.sampleRate, this.#samplesAt(start.startTicks));
  }

  /** Sequence number of the next chunk. */
  get sequence(): number {
    return this.#sequence;
  }

  /** The end of both tracks on the feed's timeline. */
  get endTicks(): number {
    return Math.max(this.#videoEndTicks, this.#audioEndTicks());
  }

  get stepTicks(): number {
    return this.#videoClock.periodTicks;
  }

  /** Media time in ms at which the video so far ends. */
  get videoEndMs(): number {
    return this.#start.startMs + (this.#videoEndTicks - this.#start.startTicks) / TICKS_PER_MS;
  }

  /** From now on the broadcaster's audio is in another format, which has to wait for the next epoch. */
  muteAudio(): void {
    this.#isSilent = true;
    this.#audioClock.release();
  }

  /** The chunks that came since they were last taken. */
  take(): Chunk[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks;
  }

  video({ packet, mediaMs, arrivedAtMs }: VideoFrame): void {
    this.#arrivedAtMs = arrivedAtMs;
    const { decodeTicks, durationTicks } = this.#videoClock.place(this.#ticksAt(mediaMs));
    const { keyframe, data, compositionMs } = packet;
    // A presentation time below zero is a frame that players refuse.
    const composition = Math.max(this.#videoClock.composition(compositionMs), -decodeTicks);
    const mark = this.#leadMark(decodeTicks, durationTicks, keyframe);
    const times = { decodeTime: decodeTicks, duration: durationTicks, composition };
    this.#emit({ trackId: VIDEO_TRACK_ID, mark, ...times, keyframe, data });
    this.#videoEndTicks = decodeTicks + durationTicks;
    this.#keepPace();
  }

  audio({ packet, mediaMs, arrivedAtMs }: AudioFrame): void {
    this.#arrivedAtMs = arrivedAtMs;
    const { audio, video } = this.formats;
    const samples = audio.samplesIn(packet.data);
    if (samples < 1) return;
    const stampSamples = (this.#ticksAt(mediaMs) / VIDEO_TIMESCALE) * audio.sampleRate;
    const missing = this.#audioClock.missingBefore(stampSamples, samples);
    if (missing === undefined) return;
    if (video) this.#isSilent = false;
    this.#bridge(missing);
    this.#emitAudio(packet.data, samples);
  }

  /** Ends the epoch where both tracks end: audio is padded up to the video. */
  end(): void {
    if (this.formats.video) this.#fillWhile(() => this.#audioEndTicks() < this.#videoEndTicks);
    this.#cuts.endEpoch(this.endTicks);
  }

  /** Silence as far as the video goes, once the audio has stopped; a frame of it is never ahead of the video's end. */
  #keepPace(): void {
    if (this.#videoEndTicks - this.#audioEndTicks() > STOPPED_MS * TICKS_PER_MS) this.muteAudio();
    if (!this.#isSilent) return;
    const frameSamples = this.formats.audio.silence?.samples ?? 0;
    this.#fillWhile(() => this.#audioEndTicks(frameSamples) <= this.#videoEndTicks);
  }

  #fillWhile(isShort: () => boolean): void {
    const { silence } = this.formats.audio;
    while (silence && isShort()) this.#emitAudio(silence.data, silence.samples);
  }

  /** Whole frames of silence right before the next frame; a hole where they do not fit, or where the codec has none. */
  #bridge(missingSamples: number): void {
    const { silence } = this.formats.audio;
    const count = silence ? Math.floor(missingSamples / silence.samples) : 0;
    this.#audioClock.advance(missingSamples - count * (silence?.samples ?? 0));
    for (let frame = 0; frame < count; frame++) this.#emitAudio(silence!.data, silence!.samples);
  }

  #emitAudio(data: Uint8Array, samples: number): void {
    const ticks = this.#audioEndTicks();
    const decodeTime = this.#audioClock.advance(samples);
    const mark = this.formats.video
      ? this.#cuts.follow()
      : this.#leadMark(ticks, this.#audioEndTicks() - ticks, true);
    this.#emit({
      trackId: AUDIO_TRACK_ID,
      mark,
      decodeTime,
      duration: samples,
      composition: 0,
      keyframe: true,
      data,
    });
  }

  #leadMark(ticks: number, durationTicks: number, keyframe: boolean): Mark {
    if (this.#hasBegun) return this.#cuts.lead({ ticks, durationTicks, keyframe });
    this.#hasBegun = true;
    return this.#cuts.beginEpoch(this.#start.epoch, !this.formats.video, ticks);
  }

  #emit(sample: Omit<Sample, 'sequence' | 'arrivedAtMs'>): void {
    const sequence = this.#sequence++;
    this.#chunks.push(makeChunk({ ...sample, sequence, arrivedAtMs: this.#arrivedAtMs }));
  }

  #ticksAt(mediaMs: number): number {
    return this.#start.startTicks + (mediaMs - this.#start.startMs) * TICKS_PER_MS;
  }

  /** The first sample that is not before a time on the feed's timeline. */
  #samplesAt(ticks: number): number {
    return Math.ceil((ticks / VIDEO_TIMESCALE) * this.formats.audio.sampleRate);
  }

  /** Where the audio ends, or would with some samples more. */
  #audioEndTicks(moreSamples = 0): number {
    const samples = this.#audioClock.next + moreSamples;
    return Math.ceil((samples / this.formats.audio.sampleRate) * VIDEO_TIMESCALE);
  }
}
