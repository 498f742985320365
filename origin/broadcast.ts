// A broadcast: one stream at its origin, from the first connection of its broadcaster to the end of its grace time.

import { recordingId } from '../network/archive/index-file.ts';
import type { Clock, Timer } from '../network/clock.ts';
import { CodedError } from '../network/errors.ts';
import type { Feed } from '../network/feed/feed.ts';
import { SOURCE } from '../network/feed/feeds.ts';
import type { Numbering } from '../network/feed/numbering.ts';
import { describeRendition } from '../network/feed/rendition.ts';
import type { Logger } from '../network/logger.ts';
import type { Chunk } from '../network/media/chunk.ts';
import type { RenditionRecord, StreamRecord } from '../network/state/state.ts';
import { readTag } from './flv/flv.ts';
import type { IngestMetrics } from './ingest-metrics.ts';
import type { RtmpMessage } from './media.ts';
import { type Packaged, Packager } from './packager/packager.ts';
import type { PublishRequest } from './rtmp/publication.ts';

export interface BroadcastOptions {
  readonly name: string;
  readonly feed: Feed;
  /** Of the claim by which this server is its origin. */
  readonly term: number;
  /** Where the feed's numbering goes on. */
  readonly numbering: Numbering;
  /** Wall clock, ms since the Unix epoch. */
  readonly startedAtMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: IngestMetrics;
  readonly graceMs: number;
  /** What usher should know has changed: live or away, first rendition. */
  readonly onChange: () => void;
  /** The grace time is over, nobody came back. */
  readonly onEnd: () => void;
}

/** What an origin says of a broadcast. */
export type BroadcastRecord = Omit<StreamRecord, 'origin'>;

/** The connection that feeds a broadcast now. Ending it is what a takeover does. */
export type Source = Pick<PublishRequest, 'close' | 'reconnect' | 'query'>;

/** So much of a first segment tells what the stream takes, if that is a long one. */
const TELLING_MS = 2_000;

export class Broadcast {
  readonly #options: BroadcastOptions;
  #source: Source | undefined;
  #packager: Packager | undefined;
  #numbering: Numbering;
  #term: number;
  #grace: Timer | undefined;
  #rendition: RenditionRecord | undefined;

  constructor(options: BroadcastOptions) {
    this.#options = options;
    this.#numbering = options.numbering;
    this.#term = options.term;
    options.feed.subscribe((chunk) => {
      if (chunk?.startsSegment || (chunk?.startsPart && !this.#rendition)) this.#describe();
    });
  }

  get record(): BroadcastRecord {
    const { feed } = this.#options;
    const newest = feed.at(feed.next - 1);
    return {
      name: this.#options.name,
      term: this.#term,
      startedAtMs: this.#options.startedAtMs,
      live: this.#source !== undefined,
      epoch: newest?.epoch ?? 0,
      lastMsn: newest?.msn ?? -1,
      numbering: this.#packager?.numbering ?? this.#numbering,
      renditions: this.#rendition ? [this.#rendition] : [],
    };
  }

  get name(): string {
    return this.#options.name;
  }

  /** The id of what is recorded of it, if it is: by it log lines of a broadcast and of its recording are found together. */
  get recording(): string {
    return recordingId(this.#options.name, this.#options.startedAtMs);
  }

  get startedAtMs(): number {
    return this.#options.startedAtMs;
  }

  get feed(): Feed {
    return this.#options.feed;
  }

  /** The connection that feeds it, or undefined within the grace time. */
  get source(): Source | undefined {
    return this.#source;
  }

  /** This server has claimed the stream anew. */
  claimed(term: number): void {
    this.#term = term;
  }

  /** Goes on from a connection, in a new epoch. Whoever fed it before must have been detached. */
  attach(source: Source): void {
    if (this.#source) throw new Error(`broadcast '${this.#options.name}' has a source`);
    this.#grace?.cancel();
    this.#source = source;
    this.#packager = new Packager({
      numbering: this.#numbering,
      onDropped: (reason) =>
        this.#options.logger.warn(
          { stream: this.#options.name, recording: this.recording, reason },
          'media left out',
        ),
    });
    this.#options.onChange();
  }

  /** Takes a message from the source. Throws a CodedError when it can't be carried. */
  message(message: RtmpMessage): void {
    const { metrics, clock } = this.#options;
    metrics.bytes.inc({ kind: message.type }, message.payload.length);
    const packet = readTag(message);
    if (packet.kind === 'unsupported') throw new CodedError('unsupported_media', packet.reason);
    this.#append(this.#packager!.push(packet, clock.now()));
  }

  /** The source is gone: what it sent is finished, and the broadcaster has the grace time to come back. */
  detach(): void {
    if (!this.#packager) return;
    this.#append(this.#packager.end());
    this.#numbering = this.#packager.numbering;
    this.#packager = undefined;
    this.#source = undefined;
    this.#grace = this.#options.clock.after(this.#options.graceMs, this.#options.onEnd);
    this.#options.onChange();
  }

  /** Ends at once, without grace. */
  end(): void {
    this.detach();
    this.#grace?.cancel();
  }

  #append(packaged: readonly Packaged[]): void {
    const { feed } = this.#options;
    for (const item of packaged) {
      if (item.kind === 'init') feed.begin(item.init);
      else {
        feed.append(item.chunk);
        this.#count(item.chunk);
      }
    }
  }

  #count(chunk: Chunk): void {
    const { feed, metrics } = this.#options;
    metrics.chunks.inc();
    if (chunk.startsEpoch && chunk.discontinuitySequence > 0) metrics.discontinuities.inc();
    const before = feed.segments.at(-2);
    if (!chunk.startsSegment || chunk.startsEpoch || !before) return;
    const track = feed.initOf(chunk.epoch)!.tracks.find(({ id }) => id === chunk.trackId)!;
    metrics.segments.observe((chunk.decodeTime - before.decodeTime) / track.timescale);
  }

  /** Viewers are placed by its bit rate, which the first frames do not tell. */
  #describe(): void {
    const { feed } = this.#options;
    const wasKnown = this.#rendition !== undefined;
    const isTelling = feed.segments.length > 1 || feed.heldMs >= TELLING_MS;
    if (!wasKnown && !isTelling) return;
    this.#rendition = describeRendition(SOURCE, feed);
    if (!wasKnown) this.#options.onChange();
  }
}
