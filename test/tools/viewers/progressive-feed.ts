// A broadcast for tests: video alone, 25 frames a second, and all that was written kept.

import { Feed } from '../../../network/feed/feed.ts';
import type { Chunk } from '../../../network/media/chunk.ts';
import type { Init } from '../../../network/media/init.ts';
import { Broadcaster } from '../media/feed.ts';

export interface SyntheticOptions {
  readonly frameBytes?: number;
  /** Frames from one key frame to the next. */
  readonly gop?: number;
  /** Whether `chunks` keeps what was written; true unless a test writes more than fits in memory. */
  readonly keeps?: boolean;
}

export const FRAME_MS = 40;

export class SyntheticBroadcast {
  readonly feed: Feed;
  readonly chunks: Chunk[] = [];
  readonly #broadcaster: Broadcaster;

  constructor({ frameBytes = 1000, gop = 10, keeps = true }: SyntheticOptions = {}, feed = new Feed()) {
    this.feed = feed;
    const [fps, gopS] = [1000 / FRAME_MS, (gop * FRAME_MS) / 1000];
    this.#broadcaster = new Broadcaster({ fps, gopS, hasAudio: false, frameBytes }, feed);
    feed.subscribe((chunk) => {
      if (chunk && keeps) this.chunks.push(chunk);
    });
  }

  /** Of the newest chunk. */
  get init(): Init {
    return this.feed.initOf(this.feed.at(this.feed.next - 1)!.epoch)!;
  }

  push(frames = 1): void {
    for (let pushed = 0; pushed < frames; pushed++) this.#broadcaster.frame();
  }

  /** Begins another epoch with another init, as after a broadcaster's reconnect, with the next frame. */
  restart(): void {
    this.#broadcaster.restart({ width: 320 });
  }

  /** The bytes of all chunks from a sequence number on, without inits. */
  bytesFrom(sequence: number): Buffer {
    return Buffer.concat(
      this.chunks.filter((chunk) => chunk.sequence >= sequence).map((chunk) => chunk.bytes),
    );
  }
}
