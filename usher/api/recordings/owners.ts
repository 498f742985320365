// What the owner of a stream does with its recordings: cuts clips, keeps, names and deletes. The servers that have the bytes do it.

import type { CatalogueEntry } from '../../../network/archive/catalogue.ts';
import { recordingId } from '../../../network/archive/index-file.ts';
import type { PublishPolicy } from '../../../network/config/publish-policy.ts';
import { send, sendJson, sendProblem } from '../../../network/http/answers.ts';
import { readText } from '../../../network/http/body.ts';
import type { Answer } from '../../../network/http/dial.ts';
import type { Exchange } from '../../../network/http/exchange.ts';
import type { Route } from '../../../network/http/http.ts';
import { quoted } from '../../../network/names.ts';
import type { ClusterState, Snapshot } from '../../../network/state/state.ts';
import { isOfThisMachine } from '../../operators/request-origin.ts';
import { type KeeperOptions, type KeeperOrder, keepersOf, tell } from './keepers.ts';
import { describe, entriesOf, type RecordingOptions } from './recordings.ts';

export interface OwnerOptions extends RecordingOptions, KeeperOptions {
  readonly state: Pick<ClusterState, 'snapshot'>;
  readonly policy: PublishPolicy;
}

const MAX_BODY_BYTES = 4_096;

type Entries = readonly CatalogueEntry[];
type Handle = (options: OwnerOptions, exchange: Exchange, entries: Entries) => Promise<void>;

export function ownerRoutes(options: OwnerOptions): Route[] {
  const route = (method: Route['method'], path: string, handle: Handle): Route => ({
    kind: 'recording',
    method,
    pattern: new RegExp(`^/api/recordings/(?<recording>[^/]+)${path}$`),
    handle: async (exchange) => {
      const entries = await entriesOf(options, exchange);
      const [first] = entries;
      if (first && (await mayDo(options, exchange, first.stream))) await handle(options, exchange, entries);
    },
  });
  return [route('POST', '/clips', cutClip), route('PATCH', '', change), route('DELETE', '', remove)];
}

/** Whoever has most of it cuts. */
async function cutClip(options: OwnerOptions, exchange: Exchange, entries: Entries): Promise<void> {
  const { id, stream } = entries[0]!;
  const body = await readText(exchange, MAX_BODY_BYTES);
  if (body === undefined) return;
  const { servers } = keepersOf(await options.state.snapshot(), entries);
  const [server] = servers;
  if (!server) return sendAway(exchange, id, 'whoever can read it');
  const answer = await tell(options, server, entries[0]!, { method: 'POST', path: '/clips', body });
  if (answer.status !== 200) return pass(exchange, answer);
  const clip = JSON.parse(answer.text) as { id: string };
  const listed = (await options.catalogue.list(stream)).filter((entry) => entry.id === clip.id);
  send(exchange, 201, 'application/json', JSON.stringify(describe(listed)), 'no-store');
}

async function change(options: OwnerOptions, exchange: Exchange, entries: Entries): Promise<void> {
  const body = await readText(exchange, MAX_BODY_BYTES);
  if (body === undefined || !(await tellAll(options, exchange, entries, { method: 'PATCH', body }))) return;
  sendJson(exchange, describe(await entriesOf(options, exchange)));
}

async function remove(options: OwnerOptions, exchange: Exchange, entries: Entries): Promise<void> {
  const { id } = entries[0]!;
  if (isLive(await options.state.snapshot(), id))
    return sendProblem(exchange, 409, 'Conflict', `${quoted(id)} is being recorded`);
  if (await tellAll(options, exchange, entries, { method: 'DELETE' })) sendJson(exchange, { id });
}

function isLive({ streams }: Snapshot, id: string): boolean {
  return streams.some(({ name, startedAtMs }) => recordingId(name, startedAtMs) === id);
}

/**
 * All who have some of it, or nobody: otherwise it would come back with whoever was away. False when it has been answered that it
 * was not done.
 */
async function tellAll(
  options: OwnerOptions,
  exchange: Exchange,
  entries: Entries,
  order: KeeperOrder,
): Promise<boolean> {
  const [entry] = entries as [CatalogueEntry];
  const { servers, away } = keepersOf(await options.state.snapshot(), entries);
  if (away.length > 0 || servers.length === 0) {
    sendAway(exchange, entry.id, away.length > 0 ? away.join(', ') : 'whoever can read it');
    return false;
  }
  const answers = await Promise.all(servers.map((server) => tell(options, server, entry, order)));
  const refusal = answers.find(({ status }) => status !== 200);
  if (refusal) pass(exchange, refusal);
  return !refusal;
}

function sendAway(exchange: Exchange, id: string, who: string): void {
  sendProblem(exchange, 503, 'Service Unavailable', `${quoted(id)} can't be got at: ${who} is away`);
}

/** What a server says no with is said to who asked. */
function pass(exchange: Exchange, { status, text }: Answer): void {
  send(exchange, status, 'application/problem+json', text, 'no-store');
}

/** False when it has been answered that this one is not the owner. */
async function mayDo({ policy, clock }: OwnerOptions, exchange: Exchange, stream: string): Promise<boolean> {
  const { headers, socket } = exchange.request;
  const [, bearer] = /^Bearer (.+)$/i.exec(headers.authorization ?? '') ?? [];
  const key = bearer ?? exchange.query.get('key') ?? undefined;
  // Without keys this machine may, and nobody for whom a proxy or a browser on it speaks.
  const remoteAddress = isOfThisMachine(headers) ? (socket.remoteAddress ?? '') : '';
  const verdict = await policy({ action: 'recordings', stream, key, remoteAddress, nowMs: clock.now() });
  if (verdict.kind === 'allowed') return true;
  exchange.response.setHeader('WWW-Authenticate', 'Bearer');
  sendProblem(exchange, 401, 'Unauthorized', verdict.reason);
  return false;
}
