// Who asks: a viewer with a session of its own, where it is, and how its addresses are made.

import type { Clock } from '../../../network/clock.ts';
import { randomName } from '../../../network/hash.ts';
import { sendProblem } from '../../../network/http/answers.ts';
import type { Exchange } from '../../../network/http/exchange.ts';
import { reachableUrl } from '../../../network/http/reachable.ts';
import type { Logger } from '../../../network/logger.ts';
import type { Whence } from '../../../network/map/whence.ts';
import type { Seldom } from '../../../network/seldom.ts';
import { newSession, readSession } from '../../../network/session.ts';
import { type Grant, signToken, verifyToken } from '../../../network/token.ts';
import type { ViewerLog } from '../../../network/trace/viewer-log.ts';
import type { Newcomers } from '../../placement/promises/newcomers.ts';
import type { PlaceRequest } from '../../placement/request.ts';
import type { PathwayIds } from '../../steering/pathway-ids.ts';
import type { Guest, WayMaker } from '../../steering/ways.ts';

export interface GuestOptions {
  readonly clock: Clock;
  readonly secrets: readonly string[];
  /** `signed`: a viewer must bring a token for the stream. */
  readonly access: 'open' | 'signed';
  readonly ids: PathwayIds;
  /** The site that this usher stands in. */
  readonly site: string;
  readonly whence: (exchange: Exchange) => Whence;
  /** The address or /64 that a request is from; empty where that has no bound. */
  readonly networkOf: (exchange: Exchange) => string;
  readonly newcomers: Newcomers;
  /** Says of crowds from one address. */
  readonly crowds: Seldom;
  readonly logger: Logger;
  readonly viewerLog: ViewerLog;
}

/** How long a viewer of open playback may watch; who is steered meanwhile gets as long again. */
const SESSION_MS = 24 * 3_600_000;

/** Gives a viewer of the stream in the path, or of `of`, a session. Undefined when it has been answered that this one may not. */
export function admit(
  options: GuestOptions,
  exchange: Exchange,
  stream = exchange.params.stream!,
): Guest | undefined {
  const { clock, access } = options;
  const session = newSession(randomName, '');
  exchange.subject = { stream, session };
  if (access === 'open') return { stream, session, expiresAtMs: longestMs(clock) };
  const token = exchange.query.get('token') ?? '';
  const grant = read(options, exchange, stream, 'play', token, '; add ?token=<token> to the URL');
  return grant && { stream, session, expiresAtMs: grant.expiresAtMs };
}

/** True when it has been answered that too many new viewers come from the address of this one. */
export function isCrowd(
  { networkOf, newcomers, clock, crowds, logger }: GuestOptions,
  exchange: Exchange,
): boolean {
  const network = networkOf(exchange);
  const waitMs = newcomers.waitMs(network, clock.monotonic());
  if (waitMs === 0) return false;
  crowds.say((times) => logger.warn({ network, times }, 'too many new viewers come from one address'));
  exchange.response.setHeader('Retry-After', Math.ceil(waitMs / 1000));
  sendProblem(exchange, 429, 'Too Many Requests', `more new viewers come from ${network} than may at a time`);
  return true;
}

/** The viewer that a steering token in the path names. Undefined when it has been answered that the token is none. */
export function recognise(options: GuestOptions, exchange: Exchange): Guest | undefined {
  const { stream = '', token = '' } = exchange.params;
  const grant = read(options, exchange, stream, 'steer', token, '');
  return grant && { stream, session: grant.session, expiresAtMs: grant.expiresAtMs };
}

/** The same viewer, for longer when half of its time is over and anybody may watch. */
export function prolonged({ access, clock }: GuestOptions, guest: Guest): Guest {
  if (access === 'signed' || guest.expiresAtMs - clock.now() > SESSION_MS / 2) return guest;
  return { ...guest, expiresAtMs: longestMs(clock) };
}

/** Where a player asks how to go on. It says of the pathways only that they were listed, and names no address. */
export function steeringUri(
  { secrets }: GuestOptions,
  { stream, session, expiresAtMs, started }: Guest,
  pathways: readonly string[],
): string {
  const token = signToken(secrets, { purpose: 'steer', stream, session, expiresAtMs });
  const of = started === undefined ? stream : `${stream}/${started}`;
  return `/steer/${token}/${of}?pathways=${pathways.join(',')}`;
}

export function askFor(options: GuestOptions, exchange: Exchange, guest: Guest): PlaceRequest {
  const { whence, networkOf, site } = options;
  return {
    stream: guest.stream,
    viewer: guest.session,
    whence: whence(exchange),
    network: networkOf(exchange),
    site,
    allowCdn: true,
  };
}

export function wayMaker({ ids, secrets, clock }: GuestOptions, exchange: Exchange): WayMaker {
  return { ids, secrets, nowMs: clock.now(), reach: (mediaUrl) => reachableUrl(mediaUrl, exchange) };
}

/** In whole seconds, as tokens say it. */
function longestMs(clock: Clock): number {
  return Math.ceil((clock.now() + SESSION_MS) / 1000) * 1000;
}

function read(
  { secrets, clock }: GuestOptions,
  exchange: Exchange,
  stream: string,
  purpose: Grant['purpose'],
  token: string,
  hint: string,
): Grant | undefined {
  const verdict = verifyToken(secrets, token, { purpose, stream, nowMs: clock.now() });
  if (verdict.kind === 'valid') {
    if (verdict.grant.session) exchange.subject = { stream, session: readSession(verdict.grant.session).id };
    return verdict.grant;
  }
  sendProblem(exchange, 403, 'Forbidden', `${verdict.reason}${hint}`);
  return undefined;
}
