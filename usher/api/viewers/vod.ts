// Where a recording is played: at a server that has its bytes, or at one that reads them; and how its players go on.

import type { CatalogueEntry } from '../../../network/archive/catalogue.ts';
import { SOURCE } from '../../../network/feed/feeds.ts';
import { redirect, send, sendProblem } from '../../../network/http/answers.ts';
import type { Exchange } from '../../../network/http/exchange.ts';
import type { Route } from '../../../network/http/http.ts';
import { quoted } from '../../../network/names.ts';
import { multivariantPlaylist } from '../../multivariant.ts';
import type { Choice } from '../../placement/request.ts';
import type { Scene } from '../../placement/scene/scene.ts';
import { placeVod, watchedAs } from '../../placement/vod.ts';
import { recordedAs } from '../../recorded.ts';
import { type Guest, nameOf, waysTo } from '../../steering/ways.ts';
import { entriesOf } from '../recordings/recordings.ts';
import { admit, askFor, isCrowd, steeringUri, wayMaker } from './guests.ts';
import { steerVod, type VodOptions } from './vod-steering.ts';

/** When one who was refused may ask again. */
const RETRY_S = 5;

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
    {
      kind: 'vod-steering',
      method: 'GET',
      pattern: /^\/steer\/(?<token>[^/]+)\/(?<stream>[^/]+)\/(?<started>[^/]+)$/,
      handle: (exchange) => steerVod(options, exchange),
    },
  ];
}

/** By what the picture, or the WebVTT file of the small ones, is called at the servers that have it. */
const PICTURES: Readonly<Record<string, string>> = { jpg: 'thumbnail.jpg', vtt: 'thumbnails.vtt' };

async function sendMultivariant(options: VodOptions, exchange: Exchange): Promise<void> {
  const asked = await readQuestion(options, exchange);
  if (!asked || isCrowd(options, exchange)) return;
  const choices = await placeFor(options, exchange, asked);
  if (!choices) return;
  const { guest, entries, scene } = asked;
  const { id, renditions } = recordedAs(entries);
  const [best] = choices as [Choice];
  const { stream, session } = guest;
  if (best.kind === 'server')
    options.placer.promise(scene, watchedAs(id), best, { session, network: options.networkOf(exchange) });
  options.viewerLog.say({ session, stream, recording: id, ...nameOf(best) }, 'viewer is placed');
  const ways = waysTo(choices, guest, wayMaker(options, exchange));
  const ids = ways.map((way) => way.id);
  const playlist = multivariantPlaylist(renditions, ways, steeringUri(options, guest, ids));
  send(exchange, 200, 'application/vnd.apple.mpegurl', playlist, 'no-store');
}

/** Whoever looks at a picture need not have room for the video, too. */
async function redirectToPicture(options: VodOptions, exchange: Exchange): Promise<void> {
  const asked = await readQuestion(options, exchange);
  if (!asked) return;
  const { guest, entries, scene } = asked;
  const request = { ...askFor(options, exchange, guest), allowCdn: false };
  const [way] = waysTo(placeVod(scene, entries, request, true), guest, wayMaker(options, exchange));
  if (!way) return sendFull(exchange, entries);
  const picture = `../${PICTURES[exchange.params['what']!]!}`;
  redirect(exchange, 302, new URL(picture, way.urlOf(SOURCE)).href);
}

interface Question {
  readonly entries: readonly CatalogueEntry[];
  readonly guest: Guest;
  readonly scene: Scene;
}

/** Undefined when the answer is given: there is no such recording, or the viewer may not. */
async function readQuestion(options: VodOptions, exchange: Exchange): Promise<Question | undefined> {
  const entries = await entriesOf(options, exchange);
  const [first] = entries;
  const guest = first && admit(options, exchange, first.stream);
  if (!guest) return undefined;
  const started = first.id.slice(first.stream.length + 1);
  return { entries, guest: { ...guest, started }, scene: await options.placer.scene() };
}

/** Undefined when it has been answered that there is no room. */
async function placeFor(
  options: VodOptions,
  exchange: Exchange,
  { entries, guest, scene }: Question,
): Promise<readonly Choice[] | undefined> {
  const request = askFor(options, exchange, guest);
  if (options.placer.isAwaited(scene, request.network)) {
    sendFull(exchange, entries, 429);
    return undefined;
  }
  const choices = placeVod(scene, entries, request, options.sendsToStore);
  const [best] = choices;
  const watched = watchedAs(entries[0]!.id);
  const isLeased = best && (await options.placer.lease(scene, watched, best));
  if (isLeased || options.sendsToStore || best?.kind === 'cdn') return choices;
  sendFull(exchange, entries);
  return undefined;
}

function sendFull(exchange: Exchange, entries: readonly CatalogueEntry[], status: 429 | 503 = 503): void {
  exchange.response.setHeader('Retry-After', RETRY_S);
  const id = quoted(entries[0]!.id);
  if (status === 503) sendProblem(exchange, 503, 'Service Unavailable', `no server has room for ${id} now`);
  else sendProblem(exchange, 429, 'Too Many Requests', `${id}: much is promised to others at this address`);
}
