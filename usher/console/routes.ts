// What the pages of the console ask usher, for operators alone.

import type { Clock } from '../../network/clock.ts';
import { redirect, sendJson, sendProblem } from '../../network/http/answers.ts';
import type { Exchange } from '../../network/http/exchange.ts';
import type { Route } from '../../network/http/http.ts';
import { reachableUrl } from '../../network/http/reachable.ts';
import { quoted } from '../../network/names.ts';
import { isAlive } from '../../network/state/liveness.ts';
import type { Snapshot } from '../../network/state/state.ts';
import { signToken } from '../../network/token.ts';
import type { Operator, Operators } from '../operators/operators.ts';
import { serverAnswer, siteAnswer } from './figures/held.ts';
import { spendOf } from './figures/spend.ts';
import { streamDetail } from './figures/stream.ts';
import type { HistoryKind } from './history/history.ts';
import type { Live } from './live/live.ts';
import type { EventList, Me, StreamAnswer } from './messages.ts';
import type { Sight, Watch } from './watch/watch.ts';

export interface ConsoleRouteOptions {
  readonly watch: Watch;
  readonly live: Live;
  readonly operators: Operators;
  readonly secrets: readonly string[];
  readonly access: 'open' | 'signed';
  readonly clock: Clock;
}

/** What an answer is made of. */
type Answer = (
  sight: Sight,
  exchange: Exchange,
  operator: Operator,
) => { readonly value: unknown } | { readonly missing: string };

/** As long as an operator may look at a stream before the page is loaded again. */
const PLAY_MS = 3_600_000;

export function consoleRoutes(options: ConsoleRouteOptions): Route[] {
  const { watch, live } = options;
  const answers: readonly (readonly [pattern: RegExp, answer: Answer])[] = [
    [
      /^\/api\/console\/me$/,
      (_, __, { name, expiresAtMs }) => ({ value: { name, expiresAtMs } satisfies Me }),
    ],
    [/^\/api\/console\/events$/, () => ({ value: { events: watch.events.after(0) } satisfies EventList })],
    [
      /^\/api\/console\/history(?:\/(?<kind>streams|servers|sites)\/(?<id>[^/]+))?$/,
      (_, { params }) => history(watch, params),
    ],
    [/^\/api\/console\/spend$/, ({ look, tally }) => ({ value: spendOf(look, tally) })],
    [
      /^\/api\/console\/servers\/(?<id>[^/]+)$/,
      ({ look, tally }, { params }) => found(serverAnswer(params['id']!, look, tally), 'server', params),
    ],
    [
      /^\/api\/console\/sites\/(?<id>[^/]+)$/,
      ({ look, tally }, { params }) => found(siteAnswer(params['id']!, look, tally), 'site', params),
    ],
    [
      /^\/api\/console\/streams\/(?<id>[^/]+)$/,
      (sight, exchange) => found(streamAnswer(options, sight, exchange), 'stream', exchange.params),
    ],
  ];
  return [
    {
      kind: 'live',
      method: 'GET',
      pattern: /^\/api\/console\/live$/,
      handle: (exchange) => live.listen(exchange),
    },
    {
      kind: 'console',
      method: 'GET',
      pattern: /^\/api\/console\/streams\/(?<id>[^/]+)\/thumbnail$/,
      handle: (exchange) => sendThumbnail(options, exchange),
    },
    ...answers.map(
      ([pattern, answer]): Route => ({
        kind: 'console',
        method: 'GET',
        pattern,
        handle: (exchange) => respond(options, exchange, answer),
      }),
    ),
  ];
}

async function respond(
  { watch, operators }: ConsoleRouteOptions,
  exchange: Exchange,
  answer: Answer,
): Promise<void> {
  const operator = operators.admit(exchange);
  if (!operator) return;
  const answered = answer(await watch.sight(), exchange, operator);
  if ('value' in answered) sendJson(exchange, answered.value);
  else sendProblem(exchange, 404, 'Not Found', answered.missing);
}

function history({ history: kept }: Watch, { kind, id }: Exchange['params']): ReturnType<Answer> {
  const curves = kept.of((kind ?? 'cluster') as HistoryKind, id);
  return curves
    ? { value: curves }
    : { missing: `nothing was seen of ${quoted(id ?? 'the cluster')} in the last hour` };
}

function found(value: unknown, what: string, { id }: Exchange['params']): ReturnType<Answer> {
  return value === undefined ? { missing: `no ${what} ${quoted(id)} is known` } : { value };
}

function streamAnswer(
  { secrets, access, clock }: ConsoleRouteOptions,
  { look, tally }: Sight,
  exchange: Exchange,
): StreamAnswer | undefined {
  const stream = streamDetail(exchange.params['id']!, look, tally);
  if (!stream) return undefined;
  const { name } = stream;
  const hasPicture = painterOf(look.snapshot, name) !== undefined;
  const expiresAtMs = clock.now() + PLAY_MS;
  return {
    stream,
    ...(hasPicture ? { thumbnail: `/api/console/streams/${name}/thumbnail` } : {}),
    ...(access === 'open'
      ? {}
      : { playToken: signToken(secrets, { purpose: 'play', stream: name, expiresAtMs, session: '' }) }),
  };
}

/** The picture itself is another server's. */
async function sendThumbnail(
  { watch, operators, secrets, clock }: ConsoleRouteOptions,
  exchange: Exchange,
): Promise<void> {
  if (!operators.admit(exchange)) return;
  const stream = exchange.params['id']!;
  const mediaUrl = painterOf((await watch.sight()).look.snapshot, stream);
  if (mediaUrl === undefined) {
    sendProblem(exchange, 404, 'Not Found', `there is no picture of ${quoted(stream)}`);
    return;
  }
  const expiresAtMs = clock.now() + PLAY_MS;
  const token = signToken(secrets, { purpose: 'picture', stream, expiresAtMs, session: '' });
  redirect(exchange, 307, `${reachableUrl(mediaUrl, exchange)}/thumb/${token}/${stream}.jpg`);
}

function painterOf(snapshot: Snapshot, stream: string): string | undefined {
  return snapshot.servers.find(
    ({ beatAtMs, thumbnails }) => isAlive(beatAtMs, snapshot) && thumbnails?.includes(stream),
  )?.mediaUrl;
}
