// Makes the pictures of recorded files, one file at a time and behind everybody's back. A recording without them is as good as any.

import { isRecordingId, readIndex } from '../../../network/archive/index-file.ts';
import { type Picture, SPRITE, THUMBNAIL, tilesOf } from '../../../network/archive/pictures.ts';
import { assemble, type PlacedSegment } from '../../../network/archive/recording.ts';
import { DirectoryStorage } from '../../../network/archive/storage-directory.ts';
import { reasonOf } from '../../../network/errors.ts';
import { SOURCE } from '../../../network/feed/feeds.ts';
import type { Logger } from '../../../network/logger.ts';
import type { Files } from '../recording/files.ts';
import { filesIn } from '../recording/recover.ts';
import { keyFrames, type Read, runsByInit } from './key-frames.ts';

/** Who can make pictures. Each verb gives undefined when it could not. */
export interface Darkroom {
  /** A JPEG of the first key frame in fragmented MP4. */
  thumbnail(media: AsyncIterable<Uint8Array>): Promise<Uint8Array | undefined>;
  /** Every frame in fragmented MP4 as a tile, one after the other, in a form that is the darkroom's own. */
  tiles(media: AsyncIterable<Uint8Array>, count: number): Promise<Uint8Array | undefined>;
  /** A JPEG of tiles, in rows. */
  sprite(tiles: readonly Uint8Array[], count: number): Promise<Uint8Array | undefined>;
}

export interface PicturesOptions {
  readonly folders: readonly string[];
  readonly files: Files;
  readonly darkroom: Darkroom;
  readonly logger: Logger;
  /** A complete file has the pictures that it will have. */
  readonly onDone: (path: string) => void;
  /** There is another picture of a recording. */
  readonly onNews: (recording: string) => Promise<void>;
}

/** What comes while so many wait gets no pictures before the next start. */
const MAX_WAITING = 1_000;

export class Pictures implements Disposable {
  readonly #options: PicturesOptions;
  /** Paths without `.mp4` and `.index`, with whether the file is complete. */
  readonly #waiting = new Map<string, boolean>();
  #isBusy = false;
  #isClosed = false;

  constructor(options: PicturesOptions) {
    this.#options = options;
  }

  /** A file is complete, or has just begun: then there is one picture of it for now. */
  add(path: string, isComplete: boolean): void {
    if (this.#waiting.size < MAX_WAITING) {
      this.#waiting.set(path, isComplete);
      void this.#work();
    } else if (isComplete) this.#options.onDone(path);
  }

  /** Finds files without pictures: a process that stopped has left them. */
  async look(): Promise<void> {
    const { folders, files } = this.#options;
    for (const folder of folders)
      for (const recording of (await files.list(folder).catch(() => [])).filter(isRecordingId)) {
        const there = new Set(await files.list(`${folder}/${recording}`).catch(() => []));
        for (const path of await filesIn(`${folder}/${recording}`, files).catch(() => []))
          if (!there.has(nameIn(path) + SPRITE)) this.add(path, true);
      }
  }

  /** What waits is found by the next process. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#waiting.clear();
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (const [path, isComplete] of this.#waiting) {
      this.#waiting.delete(path);
      try {
        await this.#make(path, isComplete);
      } catch (error) {
        const recording = path.split('/').at(-2);
        const about = { recording, file: path, reason: reasonOf(error) };
        this.#options.logger.warn(about, 'a recorded file has no pictures');
      }
      if (isComplete && !this.#isClosed) this.#options.onDone(path);
    }
    this.#isBusy = false;
  }

  async #make(path: string, isComplete: boolean): Promise<void> {
    const { darkroom, files } = this.#options;
    const tiles = tilesOf(await this.#segments(path));
    if (tiles.length === 0) return;
    const read: Read = (at, bytes) => files.read(`${path}.mp4`, at, bytes);
    const shown = isComplete ? tiles[tiles.length >> 1]! : tiles[0]!;
    await this.#keep(path, THUMBNAIL, await darkroom.thumbnail(keyFrames([shown], read)));
    if (isComplete) await this.#keep(path, SPRITE, await this.#sprite(tiles, read));
  }

  /** None where there is nothing to be seen, and of renditions: they look like their source. */
  async #segments(path: string): Promise<PlacedSegment[]> {
    const name = nameIn(path);
    if (!name.startsWith(`${SOURCE}.`)) return [];
    const index = readIndex((await this.#options.files.read(`${path}.index`)).toString('utf8'));
    const [rendition] = assemble([{ name, index }])?.renditions ?? [];
    return rendition?.segments.filter(({ init }) => init.height > 0) ?? [];
  }

  /** A picture that is missing would put all behind it in a wrong place: then there is no sprite. */
  async #sprite(tiles: readonly PlacedSegment[], read: Read): Promise<Uint8Array | undefined> {
    const { darkroom } = this.#options;
    const parts: Uint8Array[] = [];
    for (const run of runsByInit(tiles)) {
      const part = await darkroom.tiles(keyFrames(run, read), run.length);
      if (!part || this.#isClosed) return undefined;
      parts.push(part);
    }
    return darkroom.sprite(parts, tiles.length);
  }

  async #keep(path: string, ending: Picture, jpeg: Uint8Array | undefined): Promise<void> {
    const [recording, name] = path.split('/').slice(-2) as [string, string];
    const disk = new DirectoryStorage([path.slice(0, -`/${recording}/${name}`.length)]);
    const isStillThere = (await this.#options.files.list(folderOf(path))).includes(`${name}.index`);
    if (!jpeg || this.#isClosed || !isStillThere) return;
    await disk.put(`${recording}/${name}${ending}`, jpeg);
    await this.#options.onNews(recording);
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function nameIn(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
