// Writes the feed of one rung: an encoder's frames and the source's sound, under the source's segment numbers and times.

import { CodedError } from '../network/errors.ts';
import { endsPart } from '../network/feed/cut-times.ts';
import type { Feed } from '../network/feed/feed.ts';
import { type Chunk, type Mark, readFrame } from '../network/media/chunk.ts';
import {
  AUDIO_TRACK_ID,
  type Entries,
  makeChunk,
  type Sample,
  VIDEO_TIMESCALE,
  VIDEO_TRACK_ID,
  writeInit,
} from '../network/media/fmp4.ts';
import { type Init, readInit } from '../network/media/init.ts';
import type { Alignment, Place, SourceSegment } from './alignment.ts';
import type { EncodedSample } from './ffmpeg/fragments.ts';

/** One frame of sound. Times are in ticks of its track. */
export interface Sound {
  readonly decodeTime: number;
  readonly duration: number;
  readonly arrivedAtMs: number;
  readonly data: Uint8Array;
}

/** A picture with all but its place in the feed. Times are in ticks of 90 kHz. */
interface Picture {
  readonly decodeTime: number;
  readonly durationTicks: number;
  readonly composition: number;
  readonly keyframe: boolean;
  readonly data: Uint8Array;
}

export interface RungWriterOptions {
  readonly epoch: number;
  /** What is written so far. It goes on behind its last frame. */
  readonly feed: Feed;
  /** Opens a feed in place of one that can't go on. */
  readonly renew: () => Feed;
  readonly alignment: Alignment;
  /** The sound has no pictures with it. */
  readonly isAudioAlone: boolean;
  /** The encoder began before it was known where the rung goes on: that has to be where one of its key frames is. */
  readonly isAhead: boolean;
}

/** The code of the error where a rung would go on with a picture that takes others which it does not have. */
export const NO_KEY_FRAME = 'no_key_frame';

/** 2 ms, and 10 s. */
const MIN_DURATION_TICKS = VIDEO_TIMESCALE / 500;
const MAX_DURATION_TICKS = 10 * VIDEO_TIMESCALE;

/** How long sound waits at most for the pictures before it, and how much of it: more is let go. */
const MAX_SOUNDS = 2_000;

/** Of one epoch of the source. */
export class RungWriter {
  readonly #options: RungWriterOptions;
  #feed: Feed;
  #init: Init | undefined;
  #audioScale = 0;
  /** Sound that is shown after the newest picture, oldest first. */
  #sounds: Sound[] = [];
  /** The one that is being written. */
  #segment: Pick<SourceSegment, 'msn' | 'epoch' | 'discontinuitySequence'> | undefined;
  /** Of the next chunk. A feed of the source has no fewer chunks: its numbers are beyond all that was ever made of it. */
  #sequence = 1;
  #part = 0;
  #partTicks = 0;
  #targetDurationS = 0;
  /** How much earlier pictures are decoded than shown. */
  #earlyTicks = 0;
  #shownTicks = Number.NEGATIVE_INFINITY;
  #decodedTicks = Number.NEGATIVE_INFINITY;
  #soundEnd = Number.NEGATIVE_INFINITY;
  /** Whether one of this encoder's is there. */
  #hasPicture = false;

  constructor(options: RungWriterOptions) {
    this.#options = options;
    this.#feed = options.feed;
    this.#sequence = options.feed.next;
    const newest = options.feed.at(options.feed.next - 1);
    if (newest?.epoch === options.epoch) this.#goOn(newest, options.feed.initOf(options.epoch)!);
  }

  get feed(): Feed {
    return this.#feed;
  }

  /** When the newest picture of this epoch is shown, in ticks of 90 kHz; undefined before the first. */
  get shownTicks(): number | undefined {
    return Number.isFinite(this.#shownTicks) ? this.#shownTicks : undefined;
  }

  /** How far it has come, in decode time of 90 kHz ticks; undefined before the first frame. */
  get decodedTicks(): number | undefined {
    return Number.isFinite(this.#decodedTicks) ? this.#decodedTicks : undefined;
  }

  /** Says what comes: before the first frame. A feed that has other contents in this epoch can't go on. */
  begin(entries: Entries): void {
    this.#init = readInit(writeInit(this.#options.isAudioAlone ? { ...entries, video: undefined } : entries));
    this.#audioScale = entries.audio.sampleRate;
    const before = this.#feed.initOf(this.#options.epoch);
    if (before && !isSame(before.bytes, this.#init.bytes)) this.#renew();
  }

  /** A frame from the encoder. What has no place in the source, and what is there already, is passed over. */
  picture(sample: EncodedSample): void {
    const presentation = sample.decodeTime + sample.composition;
    if (presentation <= this.#shownTicks) return;
    const place = this.#options.alignment.place(presentation);
    if (!place) return;
    if (this.#options.isAhead && !this.#hasPicture && !sample.keyframe)
      throw new CodedError(NO_KEY_FRAME, `a rung can't go on at ${presentation}: no key frame is there`);
    const picture = this.#timed(sample, presentation, place);
    if (this.#feed.next > 0) this.#flushSounds(picture.decodeTime);
    const isFirst = presentation === place.segment.presentation;
    const mark = this.#leadMark(place, picture.decodeTime, picture.durationTicks, isFirst);
    if (!mark) return;
    const { decodeTime, durationTicks: duration, composition, keyframe, data } = picture;
    const times = { decodeTime, duration, composition };
    this.#append({ trackId: VIDEO_TRACK_ID, mark, ...times, keyframe, data }, place.arrivedAtMs);
    this.#hasPicture = true;
    this.#shownTicks = presentation;
    this.#decodedTicks = decodeTime;
    this.#targetDurationS = place.targetDurationS;
  }

  /** A frame of sound, in the order of their times. It goes before the first picture that is later. */
  sound(sound: Sound): void {
    if (sound.decodeTime < this.#soundEnd) return;
    if (this.#sounds.length >= MAX_SOUNDS) this.#sounds.shift();
    this.#sounds.push(sound);
    if (this.#init)
      this.#flushSounds(this.#options.isAudioAlone ? this.#options.alignment.endTicks : this.#decodedTicks);
  }

  /** The epoch is over: what waits is written. */
  end(): void {
    if (this.#init) this.#flushSounds(Number.POSITIVE_INFINITY);
  }

  /** Behind what the feed holds of this epoch: back to where its newest part begins, and to the newest sound. */
  #goOn(newest: Chunk, { lead }: Init): void {
    this.#part = newest.part;
    this.#targetDurationS = newest.targetDurationS;
    this.#segment = newest;
    let isPartKnown = false;
    for (let chunk: Chunk | undefined = newest; chunk?.epoch === newest.epoch; ) {
      const { decodeTime, duration } = chunk;
      if (chunk.trackId === AUDIO_TRACK_ID) this.#soundEnd = Math.max(this.#soundEnd, decodeTime + duration);
      else this.#shownTicks = Math.max(this.#shownTicks, decodeTime + readFrame(chunk).composition);
      const ticks = Math.round((decodeTime / lead.timescale) * VIDEO_TIMESCALE);
      if (chunk.trackId === lead.id) this.#decodedTicks = Math.max(this.#decodedTicks, ticks);
      if (chunk.startsPart && !isPartKnown) {
        this.#partTicks = ticks;
        isPartKnown = true;
      }
      if (isPartKnown && Number.isFinite(this.#soundEnd)) return;
      chunk = this.#feed.at(chunk.sequence - 1);
    }
  }

  /**
   * Encoders without B-frames decode frames as they are shown. In the source they may be decoded earlier, where GOPs are open by as
   * much more as frames are shown before their key frame: that a segment's first frame is decoded here when it is there, all are
   * decoded so much earlier from then on.
   */
  #timed(sample: EncodedSample, presentation: number, place: Place): Picture {
    const { segment } = place;
    this.#earlyTicks = Math.max(this.#earlyTicks, segment.presentation - segment.decodeTime);
    const wished = presentation - this.#earlyTicks;
    const decodeTime = Math.max(wished, this.#decodedTicks + 1);
    const { keyframe, data, duration } = sample;
    // ffmpeg gives a frame when it has the next one, and so knows its duration; not that of the last one.
    const isKnown = duration > MIN_DURATION_TICKS && duration <= MAX_DURATION_TICKS;
    const durationTicks = isKnown ? duration : place.durationTicks;
    return { decodeTime, durationTicks, composition: presentation - decodeTime, keyframe, data };
  }

  /** Undefined while the feed has not begun, which it does with the first frame of a segment. */
  #leadMark(
    { segment, targetDurationS }: Omit<Place, 'arrivedAtMs'>,
    ticks: number,
    durationTicks: number,
    isFirst: boolean,
  ): Mark | undefined {
    const { msn, epoch, discontinuitySequence } = segment;
    const common = { msn, epoch, discontinuitySequence, targetDurationS };
    if (this.#segment?.epoch === epoch && this.#segment.msn === msn && this.#feed.next > 0) {
      const startsPart = endsPart(this.#partTicks, { ticks, durationTicks });
      if (startsPart) this.#beginPart(this.#part + 1, ticks);
      return { ...common, part: this.#part, startsEpoch: false, startsSegment: false, startsPart };
    }
    if (!this.#beginSegment(segment, ticks, isFirst)) return undefined;
    const { startsEpoch } = segment;
    return { ...common, part: 0, startsEpoch, startsSegment: true, startsPart: true };
  }

  /** Players know no gap in the numbers: where one would be, another feed begins. */
  #beginSegment(segment: SourceSegment, ticks: number, isFirst: boolean): boolean {
    const newest = this.#feed.at(this.#feed.next - 1);
    const isNext = newest?.msn === segment.msn - 1;
    const isKnown = newest?.epoch === segment.epoch || segment.startsEpoch;
    if (newest && !(isNext && isKnown)) this.#renew();
    if (this.#feed.next === 0 && !isFirst) return false;
    if (this.#feed.next === 0) this.#sequence = Math.max(this.#sequence, segment.sequence);
    if (this.#feed.next === 0 || segment.startsEpoch) this.#feed.begin(this.#init!);
    this.#segment = segment;
    this.#beginPart(0, ticks);
    return true;
  }

  /** Its numbers are beyond those of the feed before, so that nobody takes the one for the other. */
  #renew(): void {
    this.#sequence = this.#feed.next + 1;
    this.#feed = this.#options.renew();
  }

  #beginPart(part: number, ticks: number): void {
    this.#part = part;
    this.#partTicks = ticks;
  }

  #flushSounds(untilTicks: number): void {
    for (let sound = this.#sounds[0]; sound; sound = this.#sounds[0]) {
      const ticks = (sound.decodeTime / this.#audioScale) * VIDEO_TIMESCALE;
      if (ticks >= untilTicks) return;
      this.#sounds.shift();
      if (this.#options.isAudioAlone) this.#leadSound(sound, Math.round(ticks));
      else if (this.#segment && this.#feed.next > 0) this.#writeSound(sound, this.#followMark(this.#segment));
    }
  }

  #leadSound(sound: Sound, ticks: number): void {
    const { alignment } = this.#options;
    const segment = alignment.segmentAt(ticks);
    if (!segment) return;
    const place = alignment.place(segment.presentation);
    this.#targetDurationS = place?.targetDurationS || this.#targetDurationS;
    const durationTicks = (sound.duration / this.#audioScale) * VIDEO_TIMESCALE;
    const aligned = { segment, durationTicks, targetDurationS: this.#targetDurationS };
    const mark = this.#leadMark(aligned, ticks, durationTicks, true);
    if (!mark) return;
    this.#writeSound(sound, mark);
    this.#decodedTicks = ticks;
  }

  #followMark({
    msn,
    epoch,
    discontinuitySequence,
  }: Pick<Mark, 'msn' | 'epoch' | 'discontinuitySequence'>): Mark {
    const starts = { startsEpoch: false, startsSegment: false, startsPart: false };
    return {
      msn,
      epoch,
      discontinuitySequence,
      part: this.#part,
      targetDurationS: this.#targetDurationS,
      ...starts,
    };
  }

  #writeSound({ decodeTime, duration, arrivedAtMs, data }: Sound, mark: Mark): void {
    if (decodeTime < this.#soundEnd) return;
    const times = { decodeTime, duration, composition: 0 };
    this.#append({ trackId: AUDIO_TRACK_ID, mark, ...times, keyframe: true, data }, arrivedAtMs);
    this.#soundEnd = decodeTime + duration;
  }

  #append(sample: Omit<Sample, 'sequence' | 'arrivedAtMs'>, arrivedAtMs: number): void {
    const numbered = { ...sample, sequence: this.#sequence, arrivedAtMs };
    this.#feed.append(makeChunk(numbered, (length) => this.#feed.reserve(length)));
    this.#sequence++;
  }
}

function isSame(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one?.length === other.length && other.every((byte, index) => byte === one[index]);
}
