// Players report how well it plays: what they say counts for the site that usher sent them to, and their network.

import type { Clock } from '../../../network/clock.ts';
import { sendNothing, sendProblem } from '../../../network/http/answers.ts';
import { readText } from '../../../network/http/body.ts';
import type { Exchange } from '../../../network/http/exchange.ts';
import type { Route } from '../../../network/http/http.ts';
import type { Whence } from '../../../network/map/whence.ts';
import type { Counter, Histogram, Metrics } from '../../../network/metrics.ts';
import { quoted } from '../../../network/names.ts';
import { readSession } from '../../../network/session.ts';
import { verifyToken } from '../../../network/token.ts';
import type { Stalls } from '../../console/watch/stalls.ts';
import type { Placer } from '../../placement/placer.ts';
import type { Presence } from '../../quality/presence.ts';
import { type Report, readReport } from '../../quality/report-body.ts';

export interface QualityOptions {
  readonly placer: Placer;
  readonly presence: Presence;
  readonly stalls: Stalls;
  readonly clock: Clock;
  readonly secrets: readonly string[];
  readonly whence: (exchange: Exchange) => Whence;
  readonly metrics: Metrics;
}

interface QualityMetrics {
  readonly playedS: Counter<'site'>;
  readonly stalledS: Counter<'site'>;
  readonly startupS: Histogram;
}

const MAX_BODY_BYTES = 8 * 1024;
const STARTUP_BUCKETS_S = [0.1, 0.2, 0.4, 0.7, 1, 1.5, 2.5, 4, 7, 15];

export function qualityRoutes(options: QualityOptions): Route[] {
  const counted = qualityMetrics(options.metrics);
  return [
    {
      kind: 'quality',
      method: 'POST',
      pattern: /^\/api\/quality$/,
      handle: (exchange) => takeReport(options, counted, exchange),
    },
  ];
}

function qualityMetrics(metrics: Metrics): QualityMetrics {
  return {
    playedS: metrics.counter(
      'headwater_player_played_seconds_total',
      'Time that players say to have played, by the site of their server.',
      ['site'],
    ),
    stalledS: metrics.counter(
      'headwater_player_stalled_seconds_total',
      'Time that players say to have stood still, by the site of their server.',
      ['site'],
    ),
    startupS: metrics.histogram(
      'headwater_player_startup_seconds',
      'Time that players say to have taken until their first frame.',
      STARTUP_BUCKETS_S,
    ),
  };
}

/** What is not counted is thanked for all the same: players that are refused would only send it again. */
async function takeReport(
  options: QualityOptions,
  metrics: QualityMetrics,
  exchange: Exchange,
): Promise<void> {
  const session = sessionIn(options, exchange);
  if (session === undefined) return;
  const body = await readText(exchange, MAX_BODY_BYTES);
  if (body === undefined) return;
  const report = readReport(exchange.request.headers['content-type'] ?? '', body);
  if (report) {
    await count(options, metrics, exchange, session, report);
    sendNothing(exchange);
  } else {
    const form = '{"playedMs", "stalledMs", "rttMs"?} as JSON, or events of CMCD version 2';
    sendProblem(exchange, 400, 'Bad Request', `a report is ${form}; got ${quoted(body)}`);
  }
}

/** Only who was given a session reports on it: the token is the one to play with. */
function sessionIn({ secrets, clock }: QualityOptions, exchange: Exchange): string | undefined {
  const { query } = exchange;
  const stream = query.get('stream') ?? '';
  const wanted = { purpose: 'play', stream, nowMs: clock.now() } as const;
  const verdict = verifyToken(secrets, query.get('token') ?? '', wanted);
  if (verdict.kind === 'valid') return readSession(verdict.grant.session).id;
  sendProblem(exchange, 403, 'Forbidden', `${verdict.reason}; add ?stream=<name>&token=<token> to the URL`);
  return undefined;
}

async function count(
  { placer, presence, stalls, clock, whence }: QualityOptions,
  metrics: QualityMetrics,
  exchange: Exchange,
  session: string,
  report: Report,
): Promise<void> {
  const server = presence.serverOf(session, clock.monotonic());
  if (!server) return;
  const { site } = server;
  const { playedMs, stalledMs } =
    report.kind === 'figures' ? report : presence.watched(session, report.states);
  metrics.playedS.inc({ site }, playedMs / 1000);
  metrics.stalledS.inc({ site }, stalledMs / 1000);
  const stream = exchange.query.get('stream') ?? '';
  stalls.report({ stream, server: server.id, site, playedMs, stalledMs });
  if (report.startupMs !== undefined) metrics.startupS.observe(report.startupMs / 1000);
  const { asn } = whence(exchange);
  if (asn === undefined) return;
  const { nowMs } = (await placer.scene()).snapshot;
  const rttMs = report.kind === 'figures' ? report.rttMs : undefined;
  placer.quality.report({ site, asn, playedMs, stalledMs, ...(rttMs === undefined ? {} : { rttMs }) }, nowMs);
}
