// The darkroom: pictures out of media, with ffmpeg. What it makes is bounded in time and size.

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SPRITE_COLUMNS, TILE } from '../network/archive/pictures.ts';
import type { Clock } from '../network/clock.ts';
import type { Config } from '../network/config/schema/schema.ts';
import type { Logger } from '../network/logger.ts';
import { type Ffmpeg, probeFfmpeg, startFfmpeg } from './ffmpeg/ffmpeg.ts';
import { spriteArgs, thumbnailArgs, tileArgs } from './ffmpeg/ffmpeg-args.ts';

export interface DarkroomOptions {
  readonly config: Pick<Config['transcode'], 'ffmpeg' | 'memoryMb'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** For a hundred frames of the largest pictures, on a machine that has better things to do. */
const PATIENCE_MS = 60_000;
const MAX_JPEG_BYTES = 4 * 1024 * 1024;
/** YUV 4:2:0 has 12 bits for a pixel. */
const TILE_BYTES = TILE.width * TILE.height * 1.5;

export class Darkroom implements Disposable {
  readonly #options: DarkroomOptions;
  readonly #running = new Set<Ffmpeg>();
  #isPresent: Promise<boolean> | undefined;

  /** Whether ffmpeg is here is found out with the first picture. */
  constructor(options: DarkroomOptions) {
    this.#options = options;
  }

  thumbnail(media: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array | undefined> {
    return this.#run(thumbnailArgs(), media, MAX_JPEG_BYTES);
  }

  async tiles(media: AsyncIterable<Uint8Array>, count: number): Promise<Uint8Array | undefined> {
    const tiles = await this.#run(tileArgs(TILE), media, count * TILE_BYTES);
    return tiles?.length === count * TILE_BYTES ? tiles : undefined;
  }

  sprite(tiles: readonly Uint8Array[], count: number): Promise<Uint8Array | undefined> {
    const columns = Math.min(count, SPRITE_COLUMNS);
    const rows = Math.ceil(count / SPRITE_COLUMNS);
    return this.#run(spriteArgs(TILE, columns, rows), tiles, MAX_JPEG_BYTES);
  }

  [Symbol.dispose](): void {
    for (const ffmpeg of this.#running) ffmpeg.kill('the server stops');
  }

  async #run(
    args: readonly string[],
    input: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    maxBytes: number,
  ): Promise<Uint8Array | undefined> {
    this.#isPresent ??= this.#look();
    if (!(await this.#isPresent)) return undefined;
    const { config, clock } = this.#options;
    const limits = { program: config.ffmpeg, outputs: 1, clock, maxBytes: config.memoryMb * 1e6 };
    const ffmpeg = startFfmpeg({ ...limits, args });
    this.#running.add(ffmpeg);
    const patience = clock.after(PATIENCE_MS, () => ffmpeg.kill('it took too long'));
    const made = gather(ffmpeg, maxBytes);
    // It may have enough before its input ends; what it says of its end counts.
    await pipeline(Readable.from(input), ffmpeg.input).catch(() => {});
    const end = await ffmpeg.ended;
    patience.cancel();
    this.#running.delete(ffmpeg);
    const bytes = Buffer.concat(made);
    return end.kind === 'done' && bytes.length > 0 ? bytes : undefined;
  }

  async #look(): Promise<boolean> {
    const { config, logger } = this.#options;
    const present = await probeFfmpeg(config.ffmpeg);
    if (!('missing' in present)) return true;
    const about = { ffmpeg: config.ffmpeg, reason: present.missing };
    logger.info(about, 'ffmpeg is not here: neither streams nor recordings have pictures');
    return false;
  }
}

function gather(ffmpeg: Ffmpeg, maxBytes: number): Buffer[] {
  const made: Buffer[] = [];
  let bytes = 0;
  ffmpeg.outputs[0]!.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes <= maxBytes) made.push(piece);
    else ffmpeg.kill('it makes too much');
  });
  return made;
}
