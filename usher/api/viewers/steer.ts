// Content Steering (RFC 8216bis 7): players ask how to go on, again and again, and are told by the cluster as it is now.

import { send, sendProblem } from '../../../network/http/answers.ts';
import type { Exchange } from '../../../network/http/exchange.ts';
import type { Route } from '../../../network/http/http.ts';
import type { Cdn } from '../../../network/map/topology.ts';
import type { Counter, Metrics } from '../../../network/metrics.ts';
import { quoted } from '../../../network/names.ts';
import type { StreamRecord } from '../../../network/state/state.ts';
import type { Spending } from '../../cdn/spending.ts';
import type { CdnAudience } from '../../console/watch/cdn-audience.ts';
import { place } from '../../placement/place.ts';
import type { Placer } from '../../placement/placer.ts';
import type { Decision } from '../../placement/request.ts';
import { type Scene, sceneServer } from '../../placement/scene/scene.ts';
import { rungsMbps } from '../../placement/scene/streams.ts';
import type { Presence } from '../../quality/presence.ts';
import { type Pace, placeAgain } from '../../steering/moving.ts';
import { Pacer } from '../../steering/pacer.ts';
import type { Destination, Directory } from '../../steering/pathway-ids.ts';
import { Polls } from '../../steering/polls.ts';
import { type Steered, steer, ttlS, unleased } from '../../steering/steer.ts';
import { steeringList } from '../../steering/steering-list.ts';
import { type Guest, nameOf, readWay, waysTo, wayTo } from '../../steering/ways.ts';
import { askFor, type GuestOptions, prolonged, recognise, steeringUri, wayMaker } from './guests.ts';

export interface SteerOptions extends GuestOptions {
  readonly placer: Placer;
  readonly presence: Presence;
  readonly spending: Spending;
  readonly audience: CdnAudience;
  readonly metrics: Metrics;
}

export function steerRoutes(options: SteerOptions): Route[] {
  const steering = new Steering(options);
  return [
    {
      kind: 'steering',
      method: 'GET',
      pattern: /^\/steer\/(?<token>[^/]+)\/(?<stream>[^/]+)$/,
      handle: (exchange) => steering.answer(exchange),
    },
  ];
}

/** hls.js stops asking for good after 429 and 410, and asks again after any other refusal. */
export const STEERING_TYPE = 'application/vnd.apple.steering-list';
/** A quarter of what one process can answer. */
const BUSY_POLLS_PER_S = 2_000;
/** As `steeringUri` writes them. */
const PATHWAY_ID = /^[A-Za-z0-9._-]{1,160}$/;
const MAX_DECLARED = 4;

/** A viewer who asks, with what was found out about it. */
interface Asked {
  readonly scene: Scene;
  readonly guest: Guest;
  readonly here: Destination | undefined;
  readonly decision: Exclude<Decision, { kind: 'unknown' }>;
  readonly steered: Steered;
  readonly ttlS: number;
  readonly network: string;
}

class Steering {
  readonly #options: SteerOptions;
  readonly #pacer = new Pacer();
  readonly #polls = new Polls();
  readonly #answers: Counter<'result' | 'reason'>;

  constructor(options: SteerOptions) {
    this.#options = options;
    this.#answers = options.metrics.counter(
      'headwater_steerings_total',
      'Players that asked how to go on, and what they were told.',
      ['result', 'reason'],
    );
  }

  async answer(exchange: Exchange): Promise<void> {
    const guest = recognise(this.#options, exchange);
    if (!guest) return;
    const asked = this.#decide(exchange, guest, await this.#options.placer.scene());
    if (!asked) {
      sendProblem(exchange, 404, 'Not Found', `no stream ${quoted(guest.stream)} is live`);
      return;
    }
    const leased = await this.#lease(asked);
    this.#account(leased);
    this.#send(exchange, leased);
  }

  #decide(exchange: Exchange, guest: Guest, scene: Scene): Asked | undefined {
    const { clock } = this.#options;
    const nowMs = clock.monotonic();
    const id = pathwayIn(exchange);
    const here = readWay(id, guest, directoryOf(scene), wayMaker(this.#options, exchange));
    const request = { ...askFor(this.#options, exchange, guest), ...placeAgain(scene, here) };
    const decision = place(scene, request);
    if (decision.kind === 'unknown') return undefined;
    const mayGo = ({ key, mbpsPerS }: Pace, mbps: number): boolean =>
      this.#pacer.mayGo(key, mbps, mbpsPerS, nowMs);
    const steered = id === '' ? unmoved(decision) : steer(scene, here, decision, mayGo);
    const isBusy = this.#polls.count(nowMs) > BUSY_POLLS_PER_S;
    return {
      scene,
      guest,
      here,
      decision,
      steered,
      ttlS: ttlS(steered.isChanging, isBusy),
      network: request.network ?? '',
    };
  }

  /** What a viewer who goes takes is leased first. */
  async #lease(asked: Asked): Promise<Asked> {
    const { scene, decision, here, steered } = asked;
    const best = steered.kind === 'goes' ? steered.choices[0] : undefined;
    const isLeased = !best || (await this.#options.placer.lease(scene, decision.stream.name, best));
    return isLeased ? asked : { ...asked, steered: unleased(steered, here) };
  }

  /** A promise goes with the viewer; one who watches by a CDN costs money until it asks again. */
  #account({ scene, guest, here, decision, steered, ttlS: forS, network }: Asked): void {
    const { placer, presence, viewerLog, clock } = this.#options;
    const { session } = guest;
    const best = steered.kind === 'goes' ? steered.choices[0] : undefined;
    this.#options.spending.hear(session);
    this.#answers.inc({ result: steered.kind, reason: steered.reason ?? '' });
    if (best) {
      const from = here && nameOf(here);
      const about = { session, stream: guest.stream, reason: steered.reason, from };
      viewerLog.say({ ...about, to: nameOf(best) }, 'viewer is moved');
      placer.promise(scene, decision.stream.name, best, { session, network });
    } else if (here?.kind === 'server') placer.promised.keepAt(session, here.server.id);
    const at = best ?? here;
    if (at) presence.see(session, at, clock.monotonic());
    if (at?.kind === 'cdn') this.#pay(session, decision.stream, at.cdn, forS);
    else this.#options.audience.leave(session);
  }

  #pay(session: string, stream: StreamRecord, cdn: Cdn, forS: number): void {
    const { spending, audience, clock } = this.#options;
    const nowMs = clock.monotonic();
    const [mbps = 0] = rungsMbps(stream);
    audience.watch(session, { stream: stream.name, cdn: cdn.name, untilMs: nowMs + forS * 1000 });
    spending.watch(session, cdn, mbps, forS, nowMs);
  }

  #send(exchange: Exchange, asked: Asked): void {
    const { here, guest, decision, steered, ttlS } = asked;
    const declared = declaredIn(exchange);
    const next = prolonged(this.#options, guest);
    const maker = wayMaker(this.#options, exchange);
    const ways = waysTo(steered.choices, next, maker);
    const back = here && steered.reason !== 'lost' ? [wayTo(here, uplinkAt(asked), next, maker)] : [];
    const list = steeringList({
      ttlS,
      pathways: steered.kind === 'goes' ? [...ways, ...back] : [...back, ...ways],
      declared,
      renditions: decision.stream.renditions.map(({ name }) => name),
      reloadUri: next === guest ? undefined : steeringUri(this.#options, next, declared),
    });
    if (list['PATHWAY-PRIORITY'].length > 0)
      send(exchange, 200, STEERING_TYPE, JSON.stringify(list), 'no-store');
    else
      sendProblem(
        exchange,
        503,
        'Service Unavailable',
        'there is nowhere to go, and nothing is known of you',
      );
  }
}

export function directoryOf(scene: Scene): Directory {
  return {
    serverOf: (id) => sceneServer(scene, id)?.server,
    cdns: scene.cdns.map(({ cdn }) => cdn),
  };
}

/** For a player that does not say where it is: it hears where it may be, and nothing is promised for that. */
function unmoved(decision: Asked['decision']): Steered {
  const choices = decision.kind === 'serve' ? decision.choices : [];
  return { kind: 'stays', reason: undefined, choices, isChanging: false };
}

function uplinkAt({ here, decision }: Asked): string {
  if (decision.kind !== 'serve' || here?.kind !== 'server') return '';
  const choice = decision.choices.find((each) => each.kind === 'server' && each.server.id === here.server.id);
  return choice?.kind === 'server' ? choice.uplink : '';
}

/** Some write it in quotation marks. Empty: the player does not say where it is. */
export function pathwayIn({ query }: Exchange): string {
  return (query.get('_HLS_pathway') ?? '').replaceAll('"', '');
}

export function declaredIn({ query }: Exchange): string[] {
  const ids = (query.get('pathways') ?? '').split(',', MAX_DECLARED);
  return ids.filter((id) => PATHWAY_ID.test(id));
}
