// One muxed SourceBuffer behind a <video>: a bounded queue into it, and what lies in it ahead of the playhead.

import { CodedError } from '../../../network/errors.ts';
import { codecsOf, type Init } from '../../../network/media/init.ts';

/** Safari on iPhone has only the managed kind, which does the same for less power. */
type MediaSourceClass = typeof MediaSource;

export function mediaSourceClass(): MediaSourceClass | undefined {
  const { ManagedMediaSource } = globalThis as { ManagedMediaSource?: MediaSourceClass };
  return ManagedMediaSource ?? globalThis.MediaSource;
}

interface Item {
  readonly bytes: Uint8Array;
  /** Set where an init begins: bytes of two types can't be appended as one. */
  readonly type: string | undefined;
}

/** Half a minute of a very good stream that a stuck decoder does not take. */
const MAX_QUEUED_BYTES = 32 * 1024 * 1024;
/** What lies farther than this behind the playhead is removed, or at once when the browser says that its buffer is full. */
const TRIM_S = 20;
const KEEP_S = 2;
/** A removal that ends within a GOP takes the rest of that GOP too (MSE 3.5.9), so it has to end just before one. */
const BEFORE_GOP_S = 0.005;
const MAX_GOPS = 4096;

export class MediaBuffer {
  readonly #video: HTMLVideoElement;
  readonly #source: MediaSource;
  readonly #url: string;
  readonly #onFault: (error: Error) => void;
  readonly #onBeforeAppend: () => void;
  readonly #onAppended: () => void;
  #buffer: SourceBuffer | undefined;
  #type: string | undefined;
  #lastInit: Uint8Array | undefined;
  #queue: Item[] = [];
  #queuedBytes = 0;
  /** Media times at which GOPs in the buffer begin, oldest first. */
  readonly #gopStartsS: number[] = [];
  #isFull = false;

  /** `onBeforeAppend` is called when the buffer is at ebb; `onFault` once, and then it is of no more use. */
  constructor(options: {
    readonly video: HTMLVideoElement;
    readonly onBeforeAppend: () => void;
    readonly onAppended: () => void;
    readonly onFault: (error: Error) => void;
  }) {
    const Source = mediaSourceClass();
    if (!Source) throw new CodedError('no_media_source', 'this browser has no Media Source Extensions');
    this.#video = options.video;
    this.#onFault = options.onFault;
    this.#onBeforeAppend = options.onBeforeAppend;
    this.#onAppended = options.onAppended;
    this.#source = new Source();
    this.#url = URL.createObjectURL(this.#source);
    this.#source.addEventListener('sourceopen', this.#pump);
    this.#video.addEventListener('error', this.#mediaError);
    this.#video.disableRemotePlayback = true;
    this.#video.src = this.#url;
  }

  /** The same init again is left out: it would make the decoder wait for the next key frame (MSE 3.5.8). */
  appendInit(init: Init): void {
    if (this.#lastInit && sameBytes(this.#lastInit, init.bytes)) return;
    this.#lastInit = init.bytes;
    this.#enqueue({ bytes: init.bytes, type: `video/mp4; codecs="${codecsOf(init)}"` });
  }

  /** `gopStartS` is the presentation time of a frame that opens a GOP, undefined for all other frames. */
  append(bytes: Uint8Array, gopStartS: number | undefined): void {
    if (gopStartS !== undefined) this.#gopStartsS.push(gopStartS);
    if (this.#gopStartsS.length > MAX_GOPS) this.#gopStartsS.shift();
    this.#enqueue({ bytes, type: undefined });
  }

  close(): void {
    this.#source.removeEventListener('sourceopen', this.#pump);
    this.#video.removeEventListener('error', this.#mediaError);
    this.#buffer?.removeEventListener('updateend', this.#updated);
    this.#queue = [];
    this.#queuedBytes = 0;
    URL.revokeObjectURL(this.#url);
    this.#video.removeAttribute('src');
    this.#video.load();
  }

  #enqueue(item: Item): void {
    this.#queue.push(item);
    this.#queuedBytes += item.bytes.length;
    if (this.#queuedBytes > MAX_QUEUED_BYTES) {
      this.#fail(new CodedError('buffer_stuck', `${this.#queuedBytes} bytes wait for the media buffer`));
    } else this.#pump();
  }

  readonly #updated = (): void => {
    this.#onAppended();
    this.#pump();
  };

  readonly #pump = (): void => {
    if (this.#source.readyState !== 'open' || this.#buffer?.updating) return;
    try {
      if (this.#removeOld()) return;
      this.#appendNext();
    } catch (error) {
      if (error instanceof DOMException && error.name === 'QuotaExceededError') this.#isFull = true;
      else this.#fail(error as Error);
    }
  };

  #appendNext(): void {
    const [first] = this.#queue;
    if (!first) return;
    if (first.type !== undefined) this.#prepare(first.type);
    const batch = this.#batch();
    this.#onBeforeAppend();
    this.#buffer?.appendBuffer(join(batch));
    this.#queue.splice(0, batch.length);
    this.#queuedBytes -= batch.reduce((sum, item) => sum + item.bytes.length, 0);
  }

  #prepare(type: string): void {
    if (!this.#buffer) {
      if (!mediaSourceClass()?.isTypeSupported(type)) {
        throw new CodedError('unsupported_codec', `there is no decoder for ${type}`);
      }
      this.#buffer = this.#source.addSourceBuffer(type);
      this.#buffer.addEventListener('updateend', this.#updated);
    } else if (type !== this.#type) this.#buffer.changeType(type);
    this.#type = type;
  }

  /** Everything that waits, up to the next init of another type: one append costs the same for one frame and for ten. */
  #batch(): Item[] {
    const cut = this.#queue.findIndex(
      (item, index) => index > 0 && item.type !== undefined && item.type !== this.#type,
    );
    return this.#queue.slice(0, cut < 0 ? this.#queue.length : cut);
  }

  #removeOld(): boolean {
    const { buffered, currentTime } = this.#video;
    if (!this.#buffer || !buffered.length) return false;
    if (currentTime - buffered.start(0) < (this.#isFull ? KEEP_S : TRIM_S)) return false;
    this.#isFull = false;
    const kept = this.#gopStartsS.findLastIndex((startS) => startS <= currentTime - KEEP_S);
    const cutS = (this.#gopStartsS[kept] ?? 0) - BEFORE_GOP_S;
    if (cutS <= buffered.start(0)) return false;
    this.#gopStartsS.splice(0, kept);
    this.#buffer.remove(0, cutS);
    return true;
  }

  readonly #mediaError = (): void => {
    const { code, message } = this.#video.error ?? { code: 0, message: 'unknown' };
    this.#fail(new CodedError('media_error', `the browser can't play the stream: ${message} (${code})`));
  };

  #fail(error: Error): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#onFault(error);
  }
}

/** Media time that can be played from the playhead on without a hole, in ms. */
export function aheadMs({ buffered, currentTime }: HTMLVideoElement): number {
  for (let index = 0; index < buffered.length; index++) {
    const end = buffered.end(index);
    if (buffered.start(index) <= currentTime && currentTime < end) return (end - currentTime) * 1000;
  }
  return 0;
}

/** The newest buffered range: behind a hole when there is one. */
export function newestRange({ buffered }: HTMLVideoElement): { start: number; end: number } | undefined {
  const last = buffered.length - 1;
  return last < 0 ? undefined : { start: buffered.start(last), end: buffered.end(last) };
}

function join(items: readonly Item[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(items.reduce((sum, item) => sum + item.bytes.length, 0));
  let offset = 0;
  for (const { bytes } of items) {
    joined.set(bytes, offset);
    offset += bytes.length;
  }
  return joined;
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
