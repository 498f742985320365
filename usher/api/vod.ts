// Where a recording is played: at a server that has its bytes, or at one that reads them from storage.

import type { Clock } from '../../network/clock.ts';
import { randomName } from '../../network/hash.ts';
import { type Exchange, type Route, send, sendProblem } from '../../network/http/http.ts';
import { reachableUrl } from '../../network/http/reachable.ts';
import { quoted } from '../../network/names.ts';
import { newSession } from '../../network/session.ts';
import type { ClusterState } from '../../network/state/state.ts';
import { signToken, verifyToken } from '../../network/token.ts';
import { DEFAULT_PATHWAY, multivariantPlaylist } from '../multivariant.ts';
import { placeVod } from '../placement/vod.ts';
import { entriesOf, type RecordingOptions } from './recordings.ts';

export interface VodOptions extends RecordingOptions {
  readonly state: Pick<ClusterState, 'snapshot'>;
  readonly clock: Clock;
  readonly secrets: readonly string[];
  readonly access: 'open' | 'signed';
}

/** How long a recording may be watched before the player has to ask again. */
const SESSION_MS = 24 * 3_600_000;

export function vodRoutes(options: VodOptions): Route[] {
  return [
    {
      kind: 'vod',
      method: 'GET',
      pattern: /^\/vod\/(?<recording>[^/]+)\.m3u8$/,
      handle: (exchange) => sendMultivariant(options, exchange),
    },
  ];
}

async function sendMultivariant(options: VodOptions, exchange: Exchange): Promise<void> {
  const entries = await entriesOf(options, exchange);
  const [best] = entries;
  if (!best) return;
  const grant = permission(options, exchange, best.stream);
  if (!grant) return;
  const servers = placeVod(await options.state.snapshot(), entries, grant.session);
  if (servers.length === 0)
    return sendProblem(exchange, 503, 'Service Unavailable', `no server has room for ${quoted(best.id)} now`);
  const token = signToken(options.secrets, { purpose: 'play', stream: best.stream, ...grant });
  const started = best.id.slice(best.stream.length + 1);
  const ways = servers.map(({ mediaUrl }, at) => {
    const base = `${reachableUrl(mediaUrl, exchange)}/vod/${token}/${best.stream}/${started}`;
    return {
      id: at === 0 ? DEFAULT_PATHWAY : `${DEFAULT_PATHWAY}${at}`,
      urlOf: (name: string) => `${base}/${name}/index.m3u8`,
    };
  });
  const playlist = multivariantPlaylist(best.renditions, ways);
  send(exchange, 200, 'application/vnd.apple.mpegurl', playlist, 'no-store');
}

/** Undefined when the answer is given: the viewer may not. */
function permission({ clock, access, secrets }: VodOptions, exchange: Exchange, stream: string) {
  const nowMs = clock.now();
  const session = newSession(randomName, '');
  if (access === 'open') return { session, expiresAtMs: nowMs + SESSION_MS };
  const token = exchange.query.get('token') ?? '';
  const verdict = verifyToken(secrets, token, { purpose: 'play', stream, nowMs });
  if (verdict.kind === 'valid') return { session, expiresAtMs: verdict.grant.expiresAtMs };
  sendProblem(exchange, 403, 'Forbidden', `${verdict.reason}; add ?token=<token> to the URL`);
  return undefined;
}
