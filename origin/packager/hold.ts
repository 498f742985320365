// Frames that wait for a broadcast to show which tracks it has. Pure.

import type { MediaPacket } from '../media.ts';
import type { AudioFormat } from './codec/audio-format.ts';
import type { VideoConfig } from './codec/video-format.ts';

export interface VideoFrame extends Arrival {
  readonly packet: Extract<MediaPacket, { kind: 'video' }>;
  /** The configuration it was coded with; likewise the format below. */
  readonly config: VideoConfig;
}

export interface AudioFrame extends Arrival {
  readonly packet: Extract<MediaPacket, { kind: 'audio' }>;
  readonly format: AudioFormat;
}

interface Arrival {
  /** On the connection's `Timeline`. */
  readonly mediaMs: number;
  /** Wall clock, ms since the Unix epoch. */
  readonly arrivedAtMs: number;
}

export type Frame = VideoFrame | AudioFrame;

export function isVideo(frame: Frame): frame is VideoFrame {
  return frame.packet.kind === 'video';
}

/** Which tracks have been configured. */
export interface Known {
  readonly video: boolean;
  readonly audio: boolean;
}

/** Encoders send both configs before the first frame, or the second one within a few frames of the other track. */
const WAIT_FOR_AUDIO_MS = 500;
const WAIT_FOR_VIDEO_MS = 1_000;
/** More than a second of anything. When it is reached, the oldest audio goes while video is expected; else waiting ends. */
const MAX_FRAMES = 512;
const MAX_BYTES = 32 * 1024 * 1024;

export class Hold {
  #frames: Frame[] = [];
  #bytes = 0;

  /** The key frame that video begins with: nothing of video is held before it. */
  get firstVideo(): VideoFrame | undefined {
    return this.#frames.find(isVideo);
  }

  /** The distance of the first two video frames, by which the first one's duration is known. */
  get firstStepMs(): number | undefined {
    const [first, second] = this.#frames.filter(isVideo);
    return first && second ? second.mediaMs - first.mediaMs : undefined;
  }

  get firstAudio(): AudioFrame | undefined {
    return this.#frames.find((frame): frame is AudioFrame => !isVideo(frame));
  }

  add(frame: Frame): void {
    this.#frames.push(frame);
    this.#bytes += frame.packet.data.length;
    while (this.#isFull() && !this.firstVideo) this.#bytes -= this.#frames.shift()!.packet.data.length;
  }

  /** With what the epoch can begin, or undefined while it is worth waiting for more. */
  readyFor(known: Known): 'video' | 'audio' | undefined {
    const { firstVideo, firstAudio } = this;
    if (firstVideo) {
      const isComplete = known.audio && this.firstStepMs !== undefined;
      const isOver = this.#isFull() || this.#waitedMs(firstVideo) >= WAIT_FOR_AUDIO_MS;
      return isComplete || isOver ? 'video' : undefined;
    }
    if (!firstAudio || known.video) return undefined;
    return this.#waitedMs(firstAudio) >= WAIT_FOR_VIDEO_MS ? 'audio' : undefined;
  }

  /** All frames, in the order of their arrival; the hold is empty then. */
  take(): Frame[] {
    const frames = this.#frames;
    this.#frames = [];
    this.#bytes = 0;
    return frames;
  }

  /** By either clock: the media's runs faster for a file that is pushed as fast as it can be read. */
  #waitedMs(since: Frame): number {
    const newest = this.#frames.at(-1)!;
    return Math.max(newest.mediaMs - since.mediaMs, newest.arrivedAtMs - since.arrivedAtMs);
  }

  #isFull(): boolean {
    return this.#frames.length > MAX_FRAMES || this.#bytes > MAX_BYTES;
  }
}
