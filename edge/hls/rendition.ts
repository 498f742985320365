// A rendition as HLS delivers it: a feed's segments, its playlist, its media, and the requests that wait for more of them.

import type { Clock } from '../../network/clock.ts';
import type { FeedReader } from '../../network/feed/feed.ts';
import { sha256 } from '../../network/hash.ts';
import type { Entity } from '../../network/http/entity.ts';
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
import { type Client, type Outcome, type Patience, type Waiter, Waiting } from './waiting.ts';

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

export interface PartName extends Place {
  readonly kind: 'part';
  readonly epoch: number;
}

/** What a request asks for: a playlist with something in it, the first one that there is, or the part that is being written. */
export type Wanted = Directives | { readonly kind: 'first' } | PartName;

export interface Wait {
  readonly client: Client;
  readonly patience: Patience;
  /** `reached` is also said of what will never be there. */
  readonly then: (outcome: Outcome) => void;
}

export class Rendition {
  readonly feed: FeedReader;
  readonly segments: Segments;
  readonly waiting: Waiting;
  readonly #clock: Clock;
  readonly #onBuilt: OnBuilt;
  readonly #reports: () => readonly RenditionReport[];
  #forms: PlaylistForms | undefined;
  /** Made once for each part and segment, and gone with it. */
  #media = new WeakMap<Part, Entity>();

  constructor({ feed, clock, onBuilt, reports, onEnd }: RenditionOptions) {
    this.feed = feed;
    this.#clock = clock;
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

  /** Whether the playlist holds what the directives ask for. */
  lists(directives: Directives): boolean {
    return this.awaited(directives) === undefined;
  }

  /** The part that has to be whole before what is wanted is here; undefined when it is, or never will be. */
  awaited(wanted: Wanted): Place | undefined {
    const { segments } = this;
    switch (wanted.kind) {
      case 'directives':
        return awaitedPlace(segments, wanted);
      case 'first':
        return this.isPlayable ? undefined : { msn: segments.front?.msn ?? 0, part: LAST_PART };
      case 'part':
        return this.#isFront(wanted) ? wanted : undefined;
    }
  }

  /** Waits for what is wanted as long as it is awaited. */
  when(wanted: Wanted, wait: Wait): void {
    new WaitingRequest(this, wanted, wait, this.#clock.monotonic()).go();
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

  #isFront({ epoch, msn, part }: PartName): boolean {
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

/** What it waits for may turn into something else when it is reached: a segment can end before the part that was asked for. */
class WaitingRequest implements Waiter {
  readonly client: Client;
  readonly patience: Patience;
  readonly sinceMs: number;
  readonly #rendition: Rendition;
  readonly #wanted: Wanted;
  readonly #then: (outcome: Outcome) => void;

  constructor(rendition: Rendition, wanted: Wanted, { client, patience, then }: Wait, sinceMs: number) {
    this.client = client;
    this.patience = patience;
    this.sinceMs = sinceMs;
    this.#rendition = rendition;
    this.#wanted = wanted;
    this.#then = then;
  }

  go(): void {
    const place = this.#rendition.awaited(this.#wanted);
    if (place) this.#rendition.waiting.enter(place, this);
    else this.#then('reached');
  }

  over(outcome: Outcome): void {
    const { feed, segments } = this.#rendition;
    if (outcome !== 'reached') this.#then(outcome);
    else if (feed.isCut) this.#then('overdue');
    else if (segments.hasEnded) this.#then('reached');
    else this.go();
  }
}

function initEntity({ bytes }: Init, hash: string): Entity {
  return { views: [bytes], type: MEDIA_TYPE, etag: `"${initUri(hash)}"`, cacheControl: FOREVER };
}
