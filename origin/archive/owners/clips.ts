// Clips: pieces of recordings with bytes of their own, kept for ever. Whatever becomes of the recording, they stay.

import { type FileHeader, recordingId } from '../../../network/archive/index-file.ts';
import type { Found, Library } from '../../../network/archive/library.ts';
import type { Manifest } from '../../../network/archive/manifest.ts';
import type { RecordedRendition } from '../../../network/archive/recording.ts';
import type { Clock } from '../../../network/clock.ts';
import { CodedError } from '../../../network/errors.ts';
import { quoted } from '../../../network/names.ts';
import type { Stock } from '../keeping/stock.ts';
import type { Disks } from '../recording/disks.ts';
import type { Files } from '../recording/files.ts';
import { type NewSegment, RecordingFile } from '../recording/recording-file.ts';
import { type ClipRange, cutOut } from './clip-range.ts';
import { readSegments } from './read-segments.ts';

export interface ClipsOptions {
  readonly library: Pick<Library, 'find' | 'forget'>;
  readonly disks: Pick<Disks, 'choose'>;
  readonly files: Files;
  readonly stock: Pick<Stock, 'own'>;
  readonly clock: Clock;
  /** A file is complete; its path without `.mp4` and `.index`. */
  readonly onFile: (path: string) => void;
}

export class Clips {
  readonly #options: ClipsOptions;
  #lastMs = 0;

  constructor(options: ClipsOptions) {
    this.#options = options;
  }

  /**
   * Cuts at key frames, outward. Rejects with `no_recording`, `bad_range`, `no_room` when no disk takes it, and as what it reads
   * from does. A clip that could not be finished leaves nothing.
   */
  async cut(of: string, range: ClipRange, title: string): Promise<Manifest> {
    const { library, stock, onFile } = this.#options;
    // Of what grows, what there is now.
    library.forget(of);
    const found = await library.find(of);
    if (!found) throw new CodedError('no_recording', `there is no recording ${quoted(of)}`);
    const cut = cutOut(found.recording, range);
    if (cut.kind === 'bad') throw new CodedError('bad_range', cut.reason);
    const id = await this.#newId(found.recording.stream);
    try {
      const paths: string[] = [];
      for (const rendition of cut.renditions) paths.push(await this.#write(id, found, rendition));
      library.forget(id);
      const manifest = await stock.own.say(id, { title });
      for (const path of paths) onFile(path);
      return manifest!;
    } catch (error) {
      await stock.own.remove(id).catch(() => {});
      throw error;
    }
  }

  /** Named by when it was made. */
  async #newId(stream: string): Promise<string> {
    const { clock, library } = this.#options;
    do this.#lastMs = Math.max(clock.now(), this.#lastMs + 1);
    while (await library.find(recordingId(stream, this.#lastMs)));
    return recordingId(stream, this.#lastMs);
  }

  /** Gives the path of what it has written. */
  async #write(id: string, { recording, files }: Found, rendition: RecordedRendition): Promise<string> {
    const { segments, gaps, name } = rendition;
    const { stream, id: clipOf } = recording;
    const [first, last] = [segments[0]!, segments.at(-1)!];
    const header = { recording: id, stream, rendition: name, startedAtMs: first.arrivedAtMs, clipOf };
    let file: RecordingFile | undefined;
    try {
      for await (const segment of readSegments(segments, files)) {
        file ??= await this.#create(header, segment);
        await file.append(segment);
      }
      for (const gap of gaps) if (gap.fromMsn > first.msn && gap.toMsn <= last.msn) await file!.gap(gap);
      await file!.end(true, last.arrivedAtMs + Math.round((last.endUs - last.startUs) / 1000));
      return file!.path;
    } catch (error) {
      await file?.abandon();
      throw error;
    }
  }

  async #create(header: Omit<FileHeader, 'kind' | 'format'>, first: NewSegment): Promise<RecordingFile> {
    const { disks, files } = this.#options;
    const folder = await disks.choose();
    if (folder === undefined) throw new CodedError('no_room', 'no disk has room for a clip');
    return RecordingFile.create(folder, header, first, files);
  }
}
