// A rendition as HLS delivers it: a feed's segments, its playlist, its media, and the requests that wait for more of them.

import type { Clock } from '../../network/clock.ts';
import type { FeedReader } from '../../network/feed/feed.ts';
import { sha256 } from '../../network/hash.ts';
import type { Entity } from '../../network/http/http.ts';
import type { Init } from '../../network/media/init.ts';
import { awaitedPlace, type Directives, LAST_PART } from './directives.ts';
import {
  initUri,
  listedMs,
  partUri,
  type RenditionReport,
  segmentUri,
  targetDurationOf,
} from './playlist.ts';
import { type Form, type OnBuilt, PlaylistForms } from './playlist-forms.ts';
import { type Part, type Place, type Segment, Segments } from './segments.ts';
import { type Client, type Outcome, type Patience, Waiting } from './waiting.ts';

export interface RenditionOptions {
  readonly feed: FeedReader;
  readonly clock: Clock;
  readonly onBuilt: OnBuilt;
  /** How far the other renditions of the stream have come. */
  readonly reports: () => readonly RenditionReport[];
  /** The feed has ended. */
  readonly onEnd: (rendition: Rendition) => void;
}

const MEDIA_TYPE = 'video/mp4';
/** Names are never reused. */
const FOREVER = 'public, max-age=31536000, immutable';
const INIT_HASH_DIGITS = 10;

export class Rendition {
  readonly feed: FeedReader;
  readonly segments: Segments;
  readonly waiting: Waiting;
  readonly #onBuilt: OnBuilt;
  readonly #reports: () => readonly RenditionReport[];
  #forms: PlaylistForms | undefined;
  /** Made once for each part and segment, and gone with it. */
  #media = new WeakMap<Part, Entity>();

  constructor({ feed, clock, onBuilt, reports, onEnd }: RenditionOptions) {
    this.feed = feed;
    this.#onBuilt = onBuilt;
    this.#reports = reports;
    this.segments = new Segments({
      initOf: (epoch) => feed.initOf(epoch),
      hashOf: (init) => sha256(init.bytes, INIT_HASH_DIGITS),
    });
    this.waiting = new Waiting({ clock });
    for (let sequence = feed.first; sequence < feed.next; sequence++) this.segments.push(feed.at(sequence)!);
    if (feed.ended !== undefined && !feed.isCut) this.segments.end(feed.next);
    feed.subscribe((chunk) => {
      if (chunk) {
        if (this.segments.push(chunk)) this.#changed();
      } else {
        if (!feed.isCut) this.segments.end(feed.next);
        this.#changed();
        onEnd(this);
      }
    });
  }

  /** Players need a whole segment and a target duration before they can make anything of a playlist. */
  get isPlayable(): boolean {
    const { closed, targetDurationS, hasEnded } = this.segments;
    return closed.length > 0 && (targetDurationS > 0 || hasEnded);
  }

  get targetDurationMs(): number {
    return targetDurationOf(this.segments) * 1000;
  }

  /** Length of the playlist. */
  get listedMs(): number {
    return listedMs(this.segments);
  }

  /** The last part that the playlist lists; undefined while there can be none, and after its end. */
  get lastPart(): Place | undefined {
    const { front, open, closed } = this.segments;
    if (!front || !this.isPlayable) return undefined;
    if (open!.parts.length > 0) return { msn: front.msn, part: front.part - 1 };
    const last = closed.at(-1)!;
    return { msn: last.msn, part: last.parts.length - 1 };
  }

  /** The playlist as it is now. */
  playlist(wantsDelta: boolean, wantsGzip: boolean): Form {
    this.#forms ??= new PlaylistForms(this.segments, this.#reports(), this.#onBuilt);
    return this.#forms.get(wantsDelta, wantsGzip);
  }

  /** Waits until there can be a playlist at all. */
  untilPlayable(patience: Patience, client: Client): Promise<Outcome> {
    return this.#until(
      () => (this.isPlayable ? undefined : { msn: this.segments.front?.msn ?? 0, part: LAST_PART }),
      patience,
      client,
    );
  }

  /** Whether the playlist holds what the directives ask for. */
  lists(directives: Directives): boolean {
    return awaitedPlace(this.segments, directives) === undefined;
  }

  /** Waits until the playlist holds what the directives ask for. */
  untilListed(directives: Directives, patience: Patience, client: Client): Promise<Outcome> {
    return this.#until(() => awaitedPlace(this.segments, directives), patience, client);
  }

  /** Waits until a part is whole, if it is the one that is being written. */
  untilWhole(epoch: number, place: Place, patience: Patience, client: Client): Promise<Outcome> {
    return this.#until(() => (this.#isFront(epoch, place) ? place : undefined), patience, client);
  }

  /** A whole segment, if it is held. */
  segment(epoch: number, msn: number): Entity | undefined {
    const segment = this.segments.find(msn);
    if (segment?.epoch !== epoch || segment === this.segments.open) return undefined;
    return this.#mediaOf(segment, segmentUri(segment));
  }

  /** A whole part, if it is held. */
  part(epoch: number, place: Place): Entity | undefined {
    const segment = this.segments.find(place.msn);
    const part = segment?.parts[place.part];
    return segment?.epoch === epoch && part ? this.#mediaOf(part, partUri(epoch, place)) : undefined;
  }

  /** The init with a hash, while a segment that needs it is held. */
  init(hash: string): Entity | undefined {
    const isOf = (segment: Segment): boolean => segment.initHash === hash;
    const { closed, open } = this.segments;
    const segment = open && isOf(open) ? open : closed.find(isOf);
    return segment && initEntity(segment.init, hash);
  }

  #changed(): void {
    this.#forms = undefined;
    this.segments.evict(this.feed.first);
    const { front } = this.segments;
    if (front && !this.feed.isCut) this.waiting.reach(front);
    else this.waiting.end();
  }

  /** What is awaited may turn into something else when it is reached: a segment can end before the part that was asked for. */
  async #until(awaited: () => Place | undefined, patience: Patience, client: Client): Promise<Outcome> {
    for (let place = awaited(); place; place = awaited()) {
      const outcome = await this.waiting.until(place, patience, client);
      if (outcome !== 'reached') return outcome;
      if (this.feed.isCut) return 'overdue';
      if (this.segments.hasEnded) break;
    }
    return 'reached';
  }

  #isFront(epoch: number, { msn, part }: Place): boolean {
    const { front, open } = this.segments;
    return front?.msn === msn && front.part === part && open?.epoch === epoch;
  }

  #mediaOf(part: Part, uri: string): Entity {
    const known = this.#media.get(part);
    if (known) return known;
    const views = this.feed.bytes(part.from, part.to);
    const entity: Entity = { views, type: MEDIA_TYPE, etag: `"${uri}"`, cacheControl: FOREVER };
    this.#media.set(part, entity);
    return entity;
  }
}

function initEntity({ bytes }: Init, hash: string): Entity {
  return { views: [bytes], type: MEDIA_TYPE, etag: `"${initUri(hash)}"`, cacheControl: FOREVER };
}
