// Players report how well it plays: what they say counts for the site that usher sent them to, and their network.

import type { Clock } from '../../network/clock.ts';
import { type Exchange, type Route, readText, sendNothing, sendProblem } from '../../network/http/http.ts';
import type { Whence } from '../../network/map/atlas.ts';
import { quoted } from '../../network/names.ts';
import { readSession } from '../../network/session.ts';
import { verifyToken } from '../../network/token.ts';
import type { Placer } from '../placement/placer.ts';
import type { Presence } from '../quality/presence.ts';
import { type Report, readReport } from '../quality/report-body.ts';

export interface QualityOptions {
  readonly placer: Placer;
  readonly presence: Presence;
  readonly clock: Clock;
  readonly secrets: readonly string[];
  readonly whence: (exchange: Exchange) => Whence;
}

const MAX_BODY_BYTES = 8 * 1024;

export function qualityRoutes(options: QualityOptions): Route[] {
  return [
    {
      kind: 'quality',
      method: 'POST',
      pattern: /^\/api\/quality$/,
      handle: (exchange) => takeReport(options, exchange),
    },
  ];
}

/** What is not counted is thanked for all the same: players that are refused would only send it again. */
async function takeReport(options: QualityOptions, exchange: Exchange): Promise<void> {
  const session = sessionIn(options, exchange);
  if (session === undefined) return;
  const body = await readText(exchange, MAX_BODY_BYTES);
  if (body === undefined) return;
  const report = readReport(exchange.request.headers['content-type'] ?? '', body);
  if (report) {
    await count(options, exchange, session, report);
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
  { placer, presence, clock, whence }: QualityOptions,
  exchange: Exchange,
  session: string,
  report: Report,
): Promise<void> {
  const site = presence.siteOf(session, clock.monotonic());
  const { asn } = whence(exchange);
  if (site === undefined || asn === undefined) return;
  const { nowMs } = (await placer.scene()).snapshot;
  const { playedMs, stalledMs } =
    report.kind === 'figures' ? report : presence.watched(session, report.states);
  const rttMs = report.kind === 'figures' ? report.rttMs : undefined;
  placer.quality.report({ site, asn, playedMs, stalledMs, ...(rttMs === undefined ? {} : { rttMs }) }, nowMs);
}
