// HLS over HTTP: the routes of media playlists, segments, parts and inits, and what each is answered.

import type { Clock } from '../../network/clock.ts';
import type { Outflow } from '../../network/egress/outflow.ts';
import type { Demand, Feeds } from '../../network/feed/feeds.ts';
import { PART_MAX_MS } from '../../network/feed/hls-limits.ts';
import { redirect, sendProblem } from '../../network/http/answers.ts';
import { acceptsGzip, type Entity, sendEntity, sendInTurn } from '../../network/http/entity.ts';
import type { Exchange } from '../../network/http/exchange.ts';
import type { Route } from '../../network/http/http.ts';
import type { Metrics } from '../../network/metrics.ts';
import { quoted } from '../../network/names.ts';
import { type Authorise, sendRefusal, type Viewer } from '../access.ts';
import { elsewhere, type SuccessorOf } from '../elsewhere.ts';
import type { Entry, Errand, HlsSessions } from '../sessions/hls-sessions.ts';
import { isShared } from '../sessions/session.ts';
import { type Directives, readDirectives, tooFarAhead } from './directives.ts';
import type { PartName, Rendition } from './rendition.ts';
import { Renditions } from './renditions.ts';
import type { Place } from './segments.ts';
import type { Outcome, Patience } from './waiting.ts';

export interface HlsOptions {
  readonly feeds: Feeds;
  /** For what is not here yet. */
  readonly demand: Demand;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly authorise: Authorise;
  readonly sessions: HlsSessions;
  readonly successorOf: SuccessorOf;
  readonly outflow: Outflow;
}

interface Fetched {
  /** Those who play have fetched it before. */
  readonly isOld: boolean;
  /** How much media it is, at most. */
  readonly mediaMs: number;
}

interface Asked {
  readonly viewer: Viewer;
  readonly rendition: Rendition;
}

interface Found {
  readonly entry: Entry;
  readonly rendition: Rendition;
}

export function hlsRoutes(options: HlsOptions): Route[] {
  const hls = new Hls(options);
  const route = (kind: string, name: string, handle: Route['handle']): Route => {
    const pattern = new RegExp(`^/play/(?<token>[^/]+)/(?<stream>[^/]+)/(?<rendition>[^/]+)/${name}$`);
    return { kind, method: 'GET', pattern, handle };
  };
  return [
    route('playlist', 'index\\.m3u8', (exchange) => hls.playlist(exchange)),
    route('part', `${NUMBER('epoch')}/${NUMBER('msn')}\\.${NUMBER('part')}\\.m4s`, (exchange) =>
      hls.part(exchange),
    ),
    route('segment', `${NUMBER('epoch')}/${NUMBER('msn')}\\.m4s`, (exchange) => hls.segment(exchange)),
    route('init', 'init-(?<hash>[0-9a-f]{10})\\.mp4', (exchange) => hls.init(exchange)),
  ];
}

/** A resource has one name: numbers have no leading zeros. */
const NUMBER = (name: string): string => `(?<${name}>0|[1-9]\\d{0,9})`;

/** How long the first playlist of a stream, and what it hints at, is worth waiting for. */
const FIRST_WAIT_MS = 10_000;
const RETRY_AFTER_S = 1;
/** Players ask again after a target duration at the latest (6.3.4), and the other server may hold its answer for as long. */
const AWAY_MARGIN_MS = 1_000;
const UNKNOWN_TARGET_MS = 5_000;

class Hls {
  readonly #options: HlsOptions;
  readonly #renditions: Renditions;

  constructor(options: HlsOptions) {
    this.#options = options;
    this.#renditions = new Renditions(options);
  }

  playlist(exchange: Exchange): void | Promise<void> {
    const viewer = this.#options.authorise(exchange);
    if (!viewer || this.#sendAway(exchange, viewer)) return;
    const rendition = this.#renditions.get(viewer.stream, viewer.rendition);
    if (rendition?.isPlayable) return this.#list({ viewer, rendition }, exchange);
    return this.#firstPlaylist(viewer, exchange);
  }

  #list({ viewer, rendition }: Asked, exchange: Exchange): void | Promise<void> {
    const entry = this.#admit(exchange, viewer);
    if (!entry) return;
    this.#options.sessions.stay(entry);
    const { hasEnded } = rendition.segments;
    const directives = hasEnded ? NO_DIRECTIVES : readDirectives(exchange.query);
    if (directives.kind === 'bad') return sendProblem(exchange, 400, 'Bad Request', directives.detail);
    const refusal = tooFarAhead(rendition.segments, directives);
    if (refusal) return sendProblem(exchange, 400, 'Bad Request', refusal);
    if (!rendition.lists(directives)) return this.#listLater(exchange, rendition, directives);
    this.#sendPlaylist(exchange, rendition, directives, lifetime(rendition, directives));
  }

  #listLater(exchange: Exchange, rendition: Rendition, directives: Directives): void {
    const then = (outcome: Outcome): void =>
      exchange.go(() => {
        if (outcome === 'reached')
          this.#sendPlaylist(exchange, rendition, directives, lifetime(rendition, directives));
        else if (outcome === 'starved') this.#sendPlaylist(exchange, rendition, directives, 'no-store');
        else sendLate(exchange, outcome);
      });
    rendition.when(directives, { client: exchange, patience: patienceWith(rendition), then });
  }

  /**
   * The playlist of another server has the same names in it, which then are that server's: a player goes on there and sees no
   * switch, however near the live edge it is. A cache would hand the redirect to all its viewers.
   */
  #sendAway(exchange: Exchange, viewer: Viewer): boolean {
    const successor = this.#options.successorOf(viewer.stream);
    if (!successor || isShared(viewer.session)) return false;
    const goes = this.#options.sessions.sendAway(viewer, this.#errand(exchange, viewer));
    if (goes) redirect(exchange, 307, elsewhere(successor, exchange));
    return goes;
  }

  #errand({ query }: Exchange, { stream, rendition: name }: Viewer): Errand {
    const rendition = this.#renditions.get(stream, name);
    const asked = readDirectives(query);
    const waits = asked.kind === 'directives' && asked.msn !== undefined ? asked : undefined;
    return {
      awaited: waits && `${waits.msn}.${waits.part ?? ''}`,
      isHere: waits !== undefined && rendition?.lists(waits) === true,
      withinMs: 2 * (rendition?.targetDurationMs ?? UNKNOWN_TARGET_MS) + AWAY_MARGIN_MS,
    };
  }

  /** The part that a playlist hints at is held until it is whole; another that is not there never will be (6.2.6). */
  part(exchange: Exchange): void | Promise<void> {
    const asked = this.#find(exchange);
    if (!asked) return;
    const { epoch, msn, part } = numbersOf(exchange);
    const name: PartName = { kind: 'part', epoch, msn, part };
    const entity = asked.rendition.part(epoch, name);
    if (!entity) return this.#partLater(exchange, asked, name);
    const isOld = !isLast(asked.rendition, name);
    return this.#sendMedia(exchange, asked, entity, { isOld, mediaMs: PART_MAX_MS });
  }

  #partLater(exchange: Exchange, asked: Found, part: PartName): void {
    const { rendition } = asked;
    const { limitMs } = patienceWith(rendition);
    const then = (outcome: Outcome): void =>
      exchange.go(() => {
        if (outcome === 'full') return sendLate(exchange, outcome);
        const entity = rendition.part(part.epoch, part);
        return this.#sendMedia(exchange, asked, entity, { isOld: false, mediaMs: PART_MAX_MS });
      });
    rendition.when(part, { client: exchange, patience: { limitMs }, then });
  }

  segment(exchange: Exchange): void | Promise<void> {
    const asked = this.#find(exchange);
    if (!asked) return;
    const { epoch, msn } = numbersOf(exchange);
    const { rendition } = asked;
    const mediaMs = rendition.targetDurationMs;
    return this.#sendMedia(exchange, asked, rendition.segment(epoch, msn), { isOld: true, mediaMs });
  }

  init(exchange: Exchange): void | Promise<void> {
    const asked = this.#find(exchange);
    if (!asked) return;
    const init = asked.rendition.init(exchange.params.hash!);
    return this.#sendMedia(exchange, asked, init, { isOld: false, mediaMs: 0 });
  }

  #find(exchange: Exchange): Found | undefined {
    const viewer = this.#options.authorise(exchange);
    const rendition = viewer && this.#get(exchange, viewer);
    const entry = rendition && this.#admit(exchange, viewer);
    return entry && { entry, rendition };
  }

  /** Who plays gets it at once; who begins, and fetches more than is made meanwhile, gets what is not of the moment in its turn. */
  #sendMedia(
    exchange: Exchange,
    { entry, rendition }: Found,
    entity: Entity | undefined,
    { isOld, mediaMs }: Fetched,
  ): void | Promise<void> {
    const { sessions, outflow } = this.#options;
    if (!entity) return sendProblem(exchange, 404, 'Not Found', missing(exchange, rendition));
    const refusal = sessions.refusalOf(entry, mediaMs);
    if (refusal) return sendRefusal(exchange, refusal);
    if (isOld && sessions.isJoining(entry)) return sendInTurn(exchange, entity, outflow.begin());
    this.#send(exchange, entity);
  }

  #sendPlaylist(exchange: Exchange, rendition: Rendition, { skip }: Directives, cacheControl: string): void {
    const form = rendition.playlist(skip, acceptsGzip(exchange.request));
    this.#send(exchange, { ...form, cacheControl, headers: PLAYLIST_HEADERS });
  }

  #send(exchange: Exchange, entity: Entity): void {
    sendEntity(exchange, entity);
    this.#options.outflow.spend(exchange.bodyBytes);
  }

  /** When the rendition is here, and so it is known what it takes to send it. */
  #admit(exchange: Exchange, viewer: Viewer): Entry | undefined {
    const admission = this.#options.sessions.see(viewer, exchange.connection);
    if (admission.kind === 'admitted') return admission.entry;
    sendRefusal(exchange, admission);
    return undefined;
  }

  #get(exchange: Exchange, { stream, rendition: name }: Viewer): Rendition | undefined {
    const rendition = this.#renditions.get(stream, name);
    if (rendition) return rendition;
    const detail = `the stream ${quoted(stream)} has no rendition ${quoted(name)} here`;
    sendProblem(exchange, 404, 'Not Found', detail);
    return undefined;
  }

  /**
   * A playlist without a whole segment is an error to players, so the first is waited for. When it does not come the answer is
   * 404: players leave for the next pathway at once, where they would ask this server again after 503.
   */
  async #firstPlaylist(viewer: Viewer, exchange: Exchange): Promise<void> {
    const isHeld = this.#renditions.get(viewer.stream, viewer.rendition) !== undefined;
    if (!isHeld) await this.#options.demand(viewer.stream, viewer.rendition);
    const rendition = this.#get(exchange, viewer);
    if (!rendition) return;
    const then = (outcome: Outcome): void =>
      exchange.go(() => {
        if (outcome === 'full') return sendLate(exchange, outcome);
        if (rendition.isPlayable) return this.#list({ viewer, rendition }, exchange);
        return sendProblem(exchange, 404, 'Not Found', 'the stream has no whole segment yet');
      });
    rendition.when({ kind: 'first' }, { client: exchange, patience: { limitMs: FIRST_WAIT_MS }, then });
  }
}

/**
 * The standard's limit is three target durations (6.2.5.2). A feed that makes no parts is another matter: hls.js gives a
 * server up that does not answer within the longer of three part targets and 0.8 target durations. Telling it before
 * then that nothing has changed keeps it until the broadcaster is back.
 */
function patienceWith({ targetDurationMs, isPlayable }: Rendition): Patience {
  const starvesAfterMs = Math.round(0.6 * Math.max(3 * PART_MAX_MS, 0.8 * targetDurationMs));
  return { starvesAfterMs, limitMs: isPlayable ? 3 * targetDurationMs : FIRST_WAIT_MS };
}

const PLAYLIST_HEADERS = { Vary: 'Accept-Encoding' };
/** After EXT-X-ENDLIST they are ignored (6.2.5). */
const NO_DIRECTIVES: Directives = { kind: 'directives', msn: undefined, part: undefined, skip: false };

/**
 * What the standard recommends (B.1): an answer that was waited for is the same whenever it is asked for, and kept for six
 * target durations; one that was not, for half of one. Of one second that is less than can be said: a cache that many ask keeps
 * it for a second then, as those who come in would stand in line before it otherwise, each for an answer of its own.
 */
function lifetime(rendition: Rendition, { msn }: Directives): string {
  const isLasting = msn !== undefined || rendition.segments.hasEnded;
  const seconds = Math.floor((rendition.targetDurationMs / 1000) * (isLasting ? 6 : 0.5));
  return seconds > 0 ? `max-age=${seconds}` : 'max-age=0, s-maxage=1';
}

/** The newest part is what those who play fetch too. */
function isLast({ lastPart }: Rendition, { msn, part }: Place): boolean {
  return lastPart?.msn === msn && lastPart.part === part;
}

function sendLate(exchange: Exchange, outcome: Outcome): void {
  exchange.response.setHeader('Retry-After', RETRY_AFTER_S);
  const detail =
    outcome === 'full'
      ? 'as many requests wait for this stream as may'
      : 'the segment did not come within three target durations';
  sendProblem(exchange, 503, 'Service Unavailable', detail);
}

function missing(exchange: Exchange, { segments }: Rendition): string {
  const oldest = segments.closed[0];
  const window = oldest
    ? `the window begins with segment ${oldest.msn} of epoch ${oldest.epoch}`
    : 'no segment is whole yet';
  const name = exchange.path.split('/').slice(5).join('/');
  return `${quoted(name)} is not here, nor announced: ${window}`;
}

function numbersOf({ params }: Exchange): { epoch: number; msn: number; part: number } {
  return { epoch: Number(params.epoch), msn: Number(params.msn), part: Number(params.part) };
}
