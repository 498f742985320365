// Where a recording is played: at a server that has its bytes, or at one that reads them from storage.

import type { Manifest } from '../../network/archive/manifest.ts';
import type { Clock } from '../../network/clock.ts';
import { randomName } from '../../network/hash.ts';
import { type Exchange, type Route, redirect, send, sendProblem } from '../../network/http/http.ts';
import { reachableUrl } from '../../network/http/reachable.ts';
import { quoted } from '../../network/names.ts';
import { newSession } from '../../network/session.ts';
import type { ClusterState, KnownServer } from '../../network/state/state.ts';
import { signToken, verifyToken } from '../../network/token.ts';
import type { ViewerLog } from '../../network/trace/viewer-log.ts';
import { DEFAULT_PATHWAY, multivariantPlaylist } from '../multivariant.ts';
import { placeVod } from '../placement/vod.ts';
import { recordedAs } from '../recorded.ts';
import { entriesOf, type RecordingOptions } from './recordings.ts';

export interface VodOptions extends RecordingOptions {
  readonly state: Pick<ClusterState, 'snapshot'>;
  readonly clock: Clock;
  readonly secrets: readonly string[];
  readonly access: 'open' | 'signed';
  readonly viewerLog: ViewerLog;
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
    {
      kind: 'vod-picture',
      method: 'GET',
      pattern: /^\/vod\/(?<recording>[^/]+)\.(?<what>jpg|vtt)$/,
      handle: (exchange) => redirectToPicture(options, exchange),
    },
  ];
}

/** By what the picture, or the WebVTT file of the small ones, is called at the servers that have it. */
const PICTURES: Readonly<Record<string, string>> = { jpg: 'thumbnail.jpg', vtt: 'thumbnails.vtt' };

async function sendMultivariant(options: VodOptions, exchange: Exchange): Promise<void> {
  const placed = await placeViewer(options, exchange);
  if (!placed) return;
  const ways = placed.bases.map((base, at) => ({
    id: at === 0 ? DEFAULT_PATHWAY : `${DEFAULT_PATHWAY}${at}`,
    urlOf: (name: string) => `${base}/${name}/index.m3u8`,
  }));
  const playlist = multivariantPlaylist(placed.recording.renditions, ways);
  send(exchange, 200, 'application/vnd.apple.mpegurl', playlist, 'no-store');
}

async function redirectToPicture(options: VodOptions, exchange: Exchange): Promise<void> {
  const placed = await placeViewer(options, exchange);
  if (placed) redirect(exchange, 302, `${placed.bases[0]!}/${PICTURES[exchange.params['what']!]!}`);
}

interface Placed {
  readonly recording: Manifest;
  /** Where it is at each server, the best first. */
  readonly bases: readonly string[];
}

/** Undefined when the answer is given: it is not there, the viewer may not, or there is no room. */
async function placeViewer(options: VodOptions, exchange: Exchange): Promise<Placed | undefined> {
  const entries = await entriesOf(options, exchange);
  const recording = entries.length > 0 ? recordedAs(entries) : undefined;
  const grant = recording && permission(options, exchange, recording.stream);
  if (!grant) return undefined;
  const { id, stream } = recording;
  const servers = placeVod(await options.state.snapshot(), entries, grant.session);
  if (servers.length === 0) {
    sendProblem(exchange, 503, 'Service Unavailable', `no server has room for ${quoted(id)} now`);
    return undefined;
  }
  const [{ id: server, site }] = servers as [KnownServer];
  options.viewerLog.say({ session: grant.session, stream, recording: id, server, site }, 'viewer is placed');
  const token = signToken(options.secrets, { purpose: 'play', stream, ...grant });
  const started = id.slice(stream.length + 1);
  const baseAt = ({ mediaUrl }: KnownServer): string =>
    `${reachableUrl(mediaUrl, exchange)}/vod/${token}/${stream}/${started}`;
  return { recording, bases: servers.map(baseAt) };
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
