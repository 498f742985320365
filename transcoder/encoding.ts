// One run of ffmpeg over one epoch of a source: bytes of the feed go in as they come, and frames for the rungs come out.

import type { Clock, Timer } from '../network/clock.ts';
import { CodedError, reasonOf } from '../network/errors.ts';
import type { FeedReader } from '../network/feed/feed.ts';
import { type Chunk, readFrame } from '../network/media/chunk.ts';
import { AUDIO_TRACK_ID, type AudioEntry, VIDEO_TIMESCALE } from '../network/media/fmp4.ts';
import type { Init } from '../network/media/init.ts';
import type { Alignment } from './alignment.ts';
import type { Ffmpeg } from './ffmpeg/ffmpeg.ts';
import { type Fragment, Fragments } from './ffmpeg/fragments.ts';
import { readTracks } from './ffmpeg/tracks.ts';
import type { RungWriter } from './rung-writer.ts';

/**
 * Why it ended. `over`: the source gives nothing more; `epoch`: what follows is another epoch; `left`: what follows is a segment
 * that is somebody else's to make; `behind`: what comes next fell off the source's window.
 */
export type EncodingEnd =
  | { readonly kind: 'over' | 'epoch' | 'left' | 'behind' | 'closed' }
  | { readonly kind: 'failed'; readonly reason: string };

export interface EncodingOptions {
  readonly source: FeedReader;
  /** The first chunk: it begins a segment. */
  readonly from: Chunk;
  readonly alignment: Alignment;
  /** One for each output of video of ffmpeg, in their order. */
  readonly writers: readonly RungWriter[];
  /** Rungs that are of sound alone. */
  readonly audioWriters: readonly RungWriter[];
  /** Whether ffmpeg makes the sound too, on its last output; else it is the source's. */
  readonly makesAudio: boolean;
  /** Undefined where no rung needs it. */
  readonly ffmpeg: Ffmpeg | undefined;
  readonly clock: Clock;
}

/** What ffmpeg has had in hand for so long without giving anything, it will not give. */
const SILENT_MS = 5_000;
/** An encoder may hold so much of what it was given, and give it when more comes: a source that stands still is no fault of it. */
const HELD_MS = 1_000;
const LOOK_MS = 500;

export class Encoding {
  readonly ended: Promise<EncodingEnd>;
  readonly #options: EncodingOptions;
  readonly #init: Init;
  readonly #unsubscribe: () => void;
  readonly #watch: Timer;
  readonly #settle: (end: EncodingEnd) => void;
  #next: number;
  #inputEnd: EncodingEnd | undefined;
  /** What comes before it is known which sound goes with it. */
  #waiting: { readonly writer: RungWriter; readonly fragment: Fragment }[] = [];
  #audio: AudioEntry | undefined;
  /** Of the newest sound that went in. */
  #arrivedAtMs = 0;
  #heardAtMs: number;
  /** What went in since something came out, in ms of media. */
  #owedMs = 0;
  #isLeaving = false;

  constructor(options: EncodingOptions) {
    const { source, from, ffmpeg, clock, writers, makesAudio } = options;
    this.#options = options;
    this.#init = source.initOf(from.epoch)!;
    this.#next = from.sequence;
    this.#heardAtMs = clock.monotonic();
    const { promise, resolve } = Promise.withResolvers<EncodingEnd>();
    this.ended = promise;
    this.#settle = resolve;
    if (!makesAudio) this.#hearAudio(audioEntryOf(this.#init));
    for (const [index, output] of ffmpeg?.outputs.entries() ?? []) {
      const fragments = new Fragments();
      output.on('data', (bytes: Buffer) =>
        this.#guarded(() => {
          for (const fragment of fragments.push(bytes)) this.#take(writers[index], fragment);
        }),
      );
    }
    ffmpeg?.input.on('drain', () => this.#pump());
    ffmpeg?.input.write(this.#init.bytes);
    ffmpeg?.ended.then((end) => this.#finish(end.kind === 'done' ? this.#inputEnd : undefined, end));
    this.#unsubscribe = source.subscribe(() => this.#pump());
    this.#watch = clock.every(LOOK_MS, () => this.#watchSilence());
    this.#pump();
  }

  /** How far the rung that is last is behind the source, in ms; 0 before there is anything to compare. */
  get lagMs(): number {
    const { writers, audioWriters, source } = this.#options;
    const newest = source.at(source.next - 1);
    if (newest?.epoch !== this.#options.from.epoch) return 0;
    const track = this.#init.tracks.find(({ id }) => id === newest.trackId)!;
    const ticks = ((newest.decodeTime + newest.duration) / track.timescale) * VIDEO_TIMESCALE;
    const { decodeTime } = this.#options.from;
    const reached = [...writers, ...audioWriters].map(({ decodedTicks = decodeTime }) => decodedTicks);
    return Math.max(0, ((ticks - Math.min(...reached)) / VIDEO_TIMESCALE) * 1000);
  }

  /** Ends where the segment that is given now does: nothing of it is lost. */
  leave(): void {
    this.#isLeaving = true;
  }

  /** Ends at once; what ffmpeg has in hand is lost. */
  close(): void {
    this.#inputEnd ??= { kind: 'closed' };
    if (this.#options.ffmpeg) this.#options.ffmpeg.kill('it is wanted no more');
    else this.#finish(this.#inputEnd, undefined);
  }

  /** Gives ffmpeg as much as it takes. What it does not take stays in the feed. */
  #pump(): void {
    const { source, from, ffmpeg } = this.#options;
    while (!this.#inputEnd && !ffmpeg?.input.writableNeedDrain) {
      const chunk = source.at(this.#next);
      if (!chunk && this.#next < source.first) this.#endInput({ kind: 'behind' });
      else if (!chunk && source.ended !== undefined) this.#endInput({ kind: 'over' });
      if (!chunk) return;
      if (chunk.epoch !== from.epoch) this.#endInput({ kind: 'epoch' });
      else if (this.#isLeaving && chunk.startsSegment) this.#endInput({ kind: 'left' });
      else this.#guarded(() => this.#give(chunk));
    }
  }

  #give(chunk: Chunk): void {
    const { alignment, ffmpeg, makesAudio } = this.#options;
    this.#next++;
    this.#owes(chunk);
    const isPicture = chunk.trackId !== AUDIO_TRACK_ID;
    if (isPicture) alignment.add(chunk);
    // Each write costs as much as a rung's frame does here: sound that is taken over as it is has no business there.
    if (isPicture || makesAudio) ffmpeg?.input.write(chunk.bytes);
    if (isPicture) return;
    this.#arrivedAtMs = chunk.arrivedAtMs;
    if (makesAudio) return;
    const { decodeTime, duration, arrivedAtMs } = chunk;
    this.#sound({ decodeTime, duration, arrivedAtMs, data: readFrame(chunk).data });
  }

  #take(writer: RungWriter | undefined, fragment: Fragment): void {
    this.#heardAtMs = this.#options.clock.monotonic();
    this.#owedMs = 0;
    if (!writer) this.#takeAudio(fragment);
    else if (this.#audio) this.#write(writer, fragment, this.#audio);
    else this.#waiting.push({ writer, fragment });
  }

  #takeAudio(fragment: Fragment): void {
    if (fragment.kind === 'track') {
      const { timescale: sampleRate, sampleEntry } = fragment.track;
      this.#hearAudio({ sampleRate, sampleEntry });
    } else {
      const { decodeTime, duration, data } = fragment.sample;
      // What AAC begins with before the first sound has a time before it.
      if (decodeTime >= 0) this.#sound({ decodeTime, duration, arrivedAtMs: this.#arrivedAtMs, data });
    }
  }

  #hearAudio(audio: AudioEntry): void {
    this.#audio = audio;
    for (const writer of this.#options.audioWriters) writer.begin({ video: undefined, audio });
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { writer, fragment } of waiting) this.#write(writer, fragment, audio);
  }

  #write(writer: RungWriter, fragment: Fragment, audio: AudioEntry): void {
    if (fragment.kind === 'track') writer.begin({ video: fragment.track, audio });
    else writer.picture(fragment.sample);
  }

  #sound(sound: Parameters<RungWriter['sound']>[0]): void {
    for (const writer of this.#options.writers) writer.sound(sound);
    for (const writer of this.#options.audioWriters) writer.sound(sound);
  }

  #endInput(end: EncodingEnd): void {
    this.#inputEnd = end;
    this.#heardAtMs = this.#options.clock.monotonic();
    const { ffmpeg } = this.#options;
    if (ffmpeg) ffmpeg.input.end();
    else this.#finish(end, undefined);
  }

  #finish(end: EncodingEnd | undefined, of: Awaited<Ffmpeg['ended']> | undefined): void {
    this.#unsubscribe();
    this.#watch.cancel();
    if (end && IN_FULL.includes(end.kind)) this.#guarded(() => this.#endWriters());
    const isWanted = this.#inputEnd?.kind === 'closed' || this.#inputEnd?.kind === 'behind';
    const reason = of?.kind === 'failed' ? of.reason : 'ffmpeg ended before its input';
    this.#settle(end ?? (isWanted ? this.#inputEnd! : { kind: 'failed', reason }));
  }

  #endWriters(): void {
    for (const writer of [...this.#options.writers, ...this.#options.audioWriters]) writer.end();
  }

  /** From the first frame on that it has given nothing for. */
  #owes({ trackId, duration }: Chunk): void {
    if (this.#owedMs === 0) this.#heardAtMs = this.#options.clock.monotonic();
    if (trackId !== AUDIO_TRACK_ID) this.#owedMs += (duration / VIDEO_TIMESCALE) * 1000;
  }

  #watchSilence(): void {
    const { ffmpeg, clock } = this.#options;
    const isOwing = this.#owedMs > HELD_MS || ffmpeg?.input.writableNeedDrain || this.#inputEnd;
    if (isOwing && clock.monotonic() - this.#heardAtMs > SILENT_MS)
      ffmpeg?.kill(`ffmpeg gave nothing for ${SILENT_MS / 1000} s`);
  }

  /** What ffmpeg wrote, or the source, makes no sense: this run is over. */
  #guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      const { ffmpeg } = this.#options;
      this.#inputEnd = { kind: 'failed', reason: reasonOf(error) };
      if (ffmpeg) ffmpeg.kill(reasonOf(error));
      else this.#finish(this.#inputEnd, undefined);
    }
  }
}

/** All that went in has come out. */
const IN_FULL: readonly EncodingEnd['kind'][] = ['over', 'epoch', 'left'];

function audioEntryOf({ bytes }: Init): AudioEntry {
  const track = readTracks(bytes).find(({ kind }) => kind === 'audio');
  if (!track) throw new CodedError('bad_tracks', 'a source without sound');
  return { sampleRate: track.timescale, sampleEntry: track.sampleEntry };
}
