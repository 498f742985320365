// One file of a recording as it is written: the bytes of whole segments, and beside them the index that says which are which.

import {
  type FileHeader,
  fileName,
  type Gap,
  type RecordedInit,
  type RecordedSegment,
  writeLine,
} from '../../../network/archive/index-file.ts';
import { checksum, type Files, type GrowingFile } from './files.ts';

/** A segment to be written, its place in the file to be found. */
export interface NewSegment {
  readonly record: Omit<RecordedSegment, 'kind' | 'at' | 'bytes' | 'crc'>;
  readonly views: readonly Uint8Array[];
  readonly init: { readonly bytes: Uint8Array; readonly record: Omit<RecordedInit, 'kind' | 'at' | 'bytes'> };
}

/**
 * The bytes are written before the line that tells of them: what the index knows is there, after a crash of the process at
 * any moment. After a power cut it is what was synced, and a checksum tells the rest.
 */
export class RecordingFile {
  /** The disk's. */
  readonly folder: string;
  /** Without `.mp4` and `.index`. */
  readonly path: string;
  readonly startUs: number;
  readonly #media: GrowingFile;
  readonly #index: GrowingFile;
  #mediaBytes = 0;
  #indexBytes = 0;
  #init: Uint8Array | undefined;
  #isSynced = true;

  private constructor(folder: string, path: string, media: GrowingFile, index: GrowingFile, startUs: number) {
    this.folder = folder;
    this.path = path;
    this.#media = media;
    this.#index = index;
    this.startUs = startUs;
  }

  /** Rejects when the disk will not have it. `folder` is the disk's. */
  static async create(
    folder: string,
    header: Omit<FileHeader, 'kind' | 'format'>,
    first: NewSegment,
    files: Files,
  ): Promise<RecordingFile> {
    const { msn, startUs } = first.record;
    const path = `${folder}/${header.recording}/${fileName(header.rendition, msn)}`;
    const media = await files.create(`${path}.mp4`);
    try {
      const file = new RecordingFile(folder, path, media, await files.create(`${path}.index`), startUs);
      await file.#note(writeLine({ kind: 'file', format: 1, ...header }));
      return file;
    } catch (error) {
      await media.close().catch(() => {});
      throw error;
    }
  }

  get bytes(): number {
    return this.#mediaBytes + this.#indexBytes;
  }

  /** All in one write and their lines in another. Rejects when the disk fails; the file then ends with the segment before them. */
  async append(...segments: readonly NewSegment[]): Promise<void> {
    const views: Uint8Array[] = [];
    const lines: string[] = [];
    let at = this.#mediaBytes;
    let known = this.#init;
    const put = (added: readonly Uint8Array[]): number => {
      views.push(...added);
      const bytes = bytesOf(added);
      at += bytes;
      return bytes;
    };
    for (const { init, views: media, record } of segments) {
      if (known !== init.bytes)
        lines.push(writeLine({ kind: 'init', at, bytes: put([init.bytes]), ...init.record }));
      known = init.bytes;
      lines.push(writeLine({ kind: 'segment', ...record, at, bytes: put(media), crc: checksum(media) }));
    }
    await this.#write(views);
    await this.#note(lines.join(''));
    this.#init = known;
  }

  gap(gap: Omit<Gap, 'kind'>): Promise<void> {
    return this.#note(writeLine({ kind: 'gap', ...gap }));
  }

  async sync(): Promise<void> {
    if (this.#isSynced) return;
    this.#isSynced = true;
    await this.#media.sync();
    await this.#index.sync();
  }

  /** Ends it in order. */
  async end(isLast: boolean, atMs: number): Promise<void> {
    await this.#note(writeLine({ kind: 'end', isLast, atMs }));
    await this.sync();
    await this.abandon();
  }

  /** Closes it as it is, its disk having failed: the next start ends it in order. */
  async abandon(): Promise<void> {
    await Promise.allSettled([this.#media.close(), this.#index.close()]);
  }

  async #write(views: readonly Uint8Array[]): Promise<void> {
    this.#isSynced = false;
    const bytes = bytesOf(views);
    try {
      await this.#media.append(views);
    } catch (error) {
      await this.#media.truncate(this.#mediaBytes).catch(() => {});
      throw error;
    }
    this.#mediaBytes += bytes;
  }

  /** A line that is cut off would hide those behind it. */
  async #note(line: string): Promise<void> {
    this.#isSynced = false;
    const bytes = Buffer.from(line);
    try {
      await this.#index.append([bytes]);
    } catch (error) {
      await this.#index.truncate(this.#indexBytes).catch(() => {});
      throw error;
    }
    this.#indexBytes += bytes.length;
  }
}

function bytesOf(views: readonly Uint8Array[]): number {
  return views.reduce((sum, view) => sum + view.length, 0);
}
