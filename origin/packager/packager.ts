// The packager: a connection's packets become the chunks of a feed, once, with all that anybody will need to know about them. Pure.

import { CodedError } from '../../network/errors.ts';
import type { Numbering } from '../../network/feed/numbering.ts';
import type { Chunk } from '../../network/media/chunk.ts';
import { VIDEO_TIMESCALE } from '../../network/media/fmp4.ts';
import type { Init } from '../../network/media/init.ts';
import type { MediaPacket } from '../media.ts';
import { FILLER_CONFIG } from './codec/aac.ts';
import { type AudioFormat, isSelfDescribing, readAudioFormat } from './codec/audio-format.ts';
import { readVideoFormat, type VideoConfig } from './codec/video-format.ts';
import { Cuts } from './cuts.ts';
import { Epoch, type Formats } from './epoch.ts';
import { type AudioFrame, type Frame, Hold, isVideo, type VideoFrame } from './hold.ts';
import { Timeline } from './timeline.ts';

export type Packaged =
  | { readonly kind: 'init'; readonly init: Init }
  | { readonly kind: 'chunk'; readonly chunk: Chunk };

export interface PackagerOptions {
  readonly numbering: Numbering;
  /** A frame larger than this ends the broadcast: 8 MiB unless told, a second at 64 Mbps. */
  readonly maxFrameBytes?: number;
  /** Learns, once for each reason, what is left out of a broadcast that goes on. */
  readonly onDropped?: (reason: string) => void;
}

const MAX_FRAME_BYTES = 8 * 1024 * 1024;
/** Audio goes on so long without video; more would be one segment that never ends. */
const MAX_AUDIO_AHEAD_MS = 10_000;
const VIDEO_TOO_LATE = 'video in a broadcast that began with audio only';

/** One connection's packager. */
export class Packager {
  readonly #maxFrameBytes: number;
  readonly #onDropped: (reason: string) => void;
  readonly #timeline = new Timeline();
  readonly #hold = new Hold();
  readonly #cuts: Cuts;
  readonly #droppedReasons = new Set<string>();
  #packaged: Packaged[] = [];
  #numbering: Numbering;
  #epoch: Epoch | undefined;
  #videoConfig: VideoConfig | undefined;
  #audioFormat: AudioFormat | undefined;
  /** Distance of video frames, for the epoch that comes. */
  #stepTicks: number | undefined;

  constructor({ numbering, maxFrameBytes = MAX_FRAME_BYTES, onDropped = () => {} }: PackagerOptions) {
    this.#numbering = numbering;
    this.#maxFrameBytes = maxFrameBytes;
    this.#onDropped = onDropped;
    this.#cuts = new Cuts(numbering);
  }

  /** At any time, and after `end()` for good: the next connection's packager goes on from here. */
  get numbering(): Numbering {
    const { sequence, endTicks } = this.#epoch ?? this.#numbering;
    return { ...this.#numbering, ...this.#cuts.numbers, sequence, endTicks };
  }

  /**
   * Takes one packet and returns what became ready. Throws `unsupported_media` for what can't be packaged and `bad_config` for
   * a codec header without sense; the connection that sent it is over then.
   */
  push(packet: MediaPacket, arrivedAtMs: number): Packaged[] {
    switch (packet.kind) {
      case 'unsupported':
        throw new CodedError('unsupported_media', packet.reason);
      case 'videoConfig':
        this.#configureVideo(packet);
        break;
      case 'audioConfig':
        this.#configureAudio(readAudioFormat(packet.codec, packet.config));
        break;
      case 'video':
      case 'audio':
        this.#checkSize(packet);
        if (packet.kind === 'video') this.#video(packet, arrivedAtMs);
        else this.#audio(packet, arrivedAtMs);
        break;
    }
    return this.#take();
  }

  /** The connection has ended: packages what still waits, and ends the epoch with both tracks at one time. Throws nothing. */
  end(): Packaged[] {
    try {
      if (!this.#epoch && this.#hold.firstVideo) this.#begin('video');
      else if (!this.#epoch && this.#hold.firstAudio) this.#begin('audio');
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      this.#drop(error.message);
    }
    this.#endEpoch();
    return this.#take();
  }

  #configureVideo(config: VideoConfig): void {
    if (this.#isAudioOnly()) this.#drop(VIDEO_TOO_LATE);
    else this.#videoConfig = config;
  }

  #configureAudio(format: AudioFormat): void {
    if (!this.#audioFormat || !isSame(this.#audioFormat, format)) this.#audioFormat = format;
  }

  #video(packet: VideoFrame['packet'], arrivedAtMs: number): void {
    if (this.#isAudioOnly()) {
      this.#drop(VIDEO_TOO_LATE);
      return;
    }
    const config = this.#videoConfig;
    if (packet.data.length === 0) return;
    if (config?.codec !== packet.codec) {
      this.#drop(`${packet.codec} video without its configuration`);
      return;
    }
    const isBeforeFirstKeyframe = !this.#epoch && !this.#hold.firstVideo && !packet.keyframe;
    if (isBeforeFirstKeyframe) return;
    const mediaMs = this.#timeline.place('video', packet.timestampMs)!;
    this.#accept({ packet, config, mediaMs, arrivedAtMs });
  }

  #audio(packet: AudioFrame['packet'], arrivedAtMs: number): void {
    if (packet.data.length === 0) return;
    if (isSelfDescribing(packet.codec)) this.#configureAudio(readAudioFormat(packet.codec, packet.data));
    const format = this.#audioFormat;
    if (format?.codec !== packet.codec) {
      this.#drop(`${packet.codec} audio without its configuration`);
      return;
    }
    const limitMs = this.#epoch?.formats.video ? this.#epoch.videoEndMs + MAX_AUDIO_AHEAD_MS : undefined;
    const mediaMs = this.#timeline.place('audio', packet.timestampMs, limitMs);
    if (mediaMs === undefined) this.#drop('audio while the video has stopped');
    else this.#accept({ packet, format, mediaMs, arrivedAtMs });
  }

  #accept(frame: Frame): void {
    if (this.#epoch) {
      this.#pack(frame);
      return;
    }
    this.#hold.add(frame);
    const known = { video: this.#videoConfig !== undefined, audio: this.#audioFormat !== undefined };
    const tracks = this.#hold.readyFor(known);
    if (tracks) this.#begin(tracks);
  }

  /** The frame that leads goes first; audio that came before it is sorted out by its time. */
  #begin(tracks: 'video' | 'audio'): void {
    const first = (tracks === 'video' ? this.#hold.firstVideo : this.#hold.firstAudio)!;
    const { firstStepMs } = this.#hold;
    this.#stepTicks = firstStepMs === undefined ? undefined : firstStepMs * (VIDEO_TIMESCALE / 1000);
    const frames = this.#hold.take();
    this.#pack(first);
    for (const frame of frames) if (frame !== first) this.#pack(frame);
  }

  #pack(frame: Frame): void {
    if (isVideo(frame)) {
      if (frame.packet.keyframe) this.#enterEpoch(this.#formatsAt(frame), frame);
      this.#epoch!.video(frame);
    } else if (!this.#epoch?.formats.video) {
      this.#enterEpoch({ video: undefined, audio: frame.format }, frame);
      this.#epoch!.audio(frame);
    } else if (isSame(this.#epoch.formats.audio, frame.format)) {
      this.#epoch.audio(frame);
    } else {
      this.#epoch.muteAudio();
    }
  }

  /** What the epoch that begins with a key frame has. A broadcast without audio gets silence: players want the track from the start. */
  #formatsAt({ config, packet }: VideoFrame): Formats {
    const audio = this.#audioFormat ?? readAudioFormat('aac', FILLER_CONFIG);
    return { video: readVideoFormat(config, packet.data), audio };
  }

  /** Goes on with the epoch there is if it has these formats, else begins one with `first`. */
  #enterEpoch(formats: Formats, first: Frame): void {
    const current = this.#epoch?.formats;
    if (current && isSame(current.video, formats.video) && isSame(current.audio, formats.audio)) return;
    this.#endEpoch();
    this.#beginEpoch(formats, first);
  }

  #beginEpoch(formats: Formats, { mediaMs, arrivedAtMs }: Frame): void {
    const { epoch: lastEpoch, sequence, endTicks, tracks: feedTracks } = this.#numbering;
    const tracks = formats.video ? 'audio+video' : 'audio';
    if (feedTracks === 'audio+video' && tracks === 'audio')
      throw new CodedError('unsupported_media', 'audio alone in a stream that has had video');
    const epoch = Math.max(lastEpoch + 1, Math.floor(arrivedAtMs / 1000));
    const start = { epoch, sequence, startTicks: endTicks, startMs: mediaMs, stepTicks: this.#stepTicks };
    this.#epoch = new Epoch(formats, start, this.#cuts);
    if (!this.#audioFormat) this.#epoch.muteAudio();
    this.#numbering = { ...this.#numbering, epoch, tracks };
    this.#packaged.push({ kind: 'init', init: this.#epoch.init });
  }

  #endEpoch(): void {
    if (!this.#epoch) return;
    this.#epoch.end();
    this.#collect();
    this.#numbering = this.numbering;
    this.#stepTicks = this.#epoch.stepTicks;
    this.#epoch = undefined;
  }

  #collect(): void {
    for (const chunk of this.#epoch?.take() ?? []) this.#packaged.push({ kind: 'chunk', chunk });
  }

  #take(): Packaged[] {
    this.#collect();
    const packaged = this.#packaged;
    this.#packaged = [];
    return packaged;
  }

  /** A feed of audio stays one: a video track that appears would end every player. */
  #isAudioOnly(): boolean {
    return this.#numbering.tracks === 'audio';
  }

  #checkSize({ kind, data }: Frame['packet']): void {
    if (data.length <= this.#maxFrameBytes) return;
    throw new CodedError(
      'unsupported_media',
      `${kind} frame of ${data.length} bytes; the limit is ${this.#maxFrameBytes}`,
    );
  }

  #drop(reason: string): void {
    if (this.#droppedReasons.has(reason)) return;
    this.#droppedReasons.add(reason);
    this.#onDropped(reason);
  }
}

function isSame(one: Formats['video'] | AudioFormat, other: Formats['video'] | AudioFormat): boolean {
  if (!one || !other || one === other) return one === other;
  const bytes = other.sampleEntry;
  return (
    one.sampleEntry.length === bytes.length && one.sampleEntry.every((byte, index) => byte === bytes[index])
  );
}
