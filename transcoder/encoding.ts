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
import { NO_KEY_FRAME, type RungWriter, type Sound } from './rung-writer.ts';

/**
 * Why it ended. `over`: the source gives nothing more; `epoch`: what follows is another epoch; `left`: what follows is a segment
 * that is somebody else's to make; `behind`: what comes next fell off the source's window; `unfit`: rungs can't go on with what it
 * gives.
 */
export type EncodingEnd =
  | { readonly kind: 'over' | 'epoch' | 'left' | 'behind' | 'unfit' | 'closed' }
  | { readonly kind: 'failed'; readonly reason: string };

export interface EncodingOptions {
  readonly source: FeedReader;
  /** The first chunk: it begins a segment. */
  readonly from: Chunk;
  readonly alignment: Alignment;
  /** Whether ffmpeg makes the sound too, on its last output; else it is the source's. */
  readonly makesAudio: boolean;
  /** Undefined where no rung needs it. */
  readonly ffmpeg: Ffmpeg | undefined;
  readonly clock: Clock;
}

/** Where the frames of a run go. */
export interface Writers {
  /** One for each output of video of ffmpeg, in their order. */
  readonly pictures: readonly RungWriter[];
  /** Rungs that are of sound alone. */
  readonly sounds: readonly RungWriter[];
}

type Made =
  | { readonly kind: 'fragment'; readonly output: number; readonly fragment: Fragment }
  | { readonly kind: 'sound'; readonly sound: Sound };

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
  #writers: Writers | undefined;
  #audio: AudioEntry | undefined;
  /** What comes before it is known where it goes, and which sound with it. */
  #waiting: Made[] = [];
  /** Of the newest sound that went in. */
  #arrivedAtMs = 0;
  #heardAtMs: number;
  /** What went in since something came out, in ms of media. */
  #owedMs = 0;
  #isLeaving = false;
  #isOver = false;

  constructor(options: EncodingOptions) {
    const { source, from, ffmpeg, clock, makesAudio } = options;
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
          for (const fragment of fragments.push(bytes)) this.#take(index, fragment);
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

  /** Whether nothing more comes of it. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Says where the frames go: those that are there already, and all that come. */
  write(writers: Writers): void {
    this.#writers = writers;
    this.#guarded(() => this.#beginWriting());
  }

  /** How far the rung that is last is behind the source, in ms; 0 before there is anything to compare. */
  get lagMs(): number {
    const { source } = this.#options;
    const newest = source.at(source.next - 1);
    if (newest?.epoch !== this.#options.from.epoch) return 0;
    const track = this.#init.tracks.find(({ id }) => id === newest.trackId)!;
    const ticks = ((newest.decodeTime + newest.duration) / track.timescale) * VIDEO_TIMESCALE;
    const { decodeTime } = this.#options.from;
    const reached = this.#allWriters.map(({ decodedTicks = decodeTime }) => decodedTicks);
    if (reached.length === 0) return 0;
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

  #take(output: number, fragment: Fragment): void {
    const { ffmpeg, makesAudio } = this.#options;
    this.#heardAtMs = this.#options.clock.monotonic();
    this.#owedMs = 0;
    if (makesAudio && output === ffmpeg!.outputs.length - 1) this.#takeAudio(fragment);
    else this.#put({ kind: 'fragment', output, fragment });
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
    this.#beginWriting();
  }

  #sound(sound: Sound): void {
    this.#put({ kind: 'sound', sound });
  }

  #put(made: Made): void {
    if (this.#writers && this.#audio) this.#write(made, this.#writers, this.#audio);
    else this.#waiting.push(made);
  }

  #beginWriting(): void {
    const [writers, audio] = [this.#writers, this.#audio];
    if (!writers || !audio) return;
    for (const writer of writers.sounds) writer.begin({ video: undefined, audio });
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const made of waiting) this.#write(made, writers, audio);
  }

  #write(made: Made, { pictures, sounds }: Writers, audio: AudioEntry): void {
    if (made.kind === 'sound') {
      for (const writer of pictures) writer.sound(made.sound);
      for (const writer of sounds) writer.sound(made.sound);
      return;
    }
    const writer = pictures[made.output]!;
    if (made.fragment.kind === 'track') writer.begin({ video: made.fragment.track, audio });
    else writer.picture(made.fragment.sample);
  }

  get #allWriters(): readonly RungWriter[] {
    return this.#writers ? [...this.#writers.pictures, ...this.#writers.sounds] : [];
  }

  #endInput(end: EncodingEnd): void {
    this.#inputEnd = end;
    this.#heardAtMs = this.#options.clock.monotonic();
    const { ffmpeg } = this.#options;
    if (ffmpeg) ffmpeg.input.end();
    else this.#finish(end, undefined);
  }

  #finish(end: EncodingEnd | undefined, of: Awaited<Ffmpeg['ended']> | undefined): void {
    this.#isOver = true;
    this.#unsubscribe();
    this.#watch.cancel();
    if (end && IN_FULL.includes(end.kind)) this.#guarded(() => this.#endWriters());
    const isWanted = this.#inputEnd !== undefined && CUT_SHORT.includes(this.#inputEnd.kind);
    const reason = of?.kind === 'failed' ? of.reason : 'ffmpeg ended before its input';
    this.#settle(end ?? (isWanted ? this.#inputEnd! : { kind: 'failed', reason }));
  }

  #endWriters(): void {
    for (const writer of this.#allWriters) writer.end();
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
      const isUnfit = error.code === NO_KEY_FRAME;
      this.#inputEnd = isUnfit ? { kind: 'unfit' } : { kind: 'failed', reason: reasonOf(error) };
      if (ffmpeg) ffmpeg.kill(reasonOf(error));
      else this.#finish(this.#inputEnd, undefined);
    }
  }
}

/** All that went in has come out. */
const IN_FULL: readonly EncodingEnd['kind'][] = ['over', 'epoch', 'left'];
/** What ffmpeg had in hand is of no use. */
const CUT_SHORT: readonly EncodingEnd['kind'][] = ['closed', 'behind', 'unfit'];

function audioEntryOf({ bytes }: Init): AudioEntry {
  const track = readTracks(bytes).find(({ kind }) => kind === 'audio');
  if (!track) throw new CodedError('bad_tracks', 'a source without sound');
  return { sampleRate: track.timescale, sampleEntry: track.sampleEntry };
}
