// What lies on this server's disks of a recording, for other servers: see `storage-peers.ts`.

import type { Clock } from '../clock.ts';
import { sha256 } from '../hash.ts';
import { sendJson, sendProblem } from '../http/answers.ts';
import { sendStored } from '../http/entity.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Route } from '../http/http.ts';
import { quoted } from '../names.ts';
import { verifyToken } from '../token.ts';
import { streamOf } from './catalogue.ts';
import { isRecordingId } from './index-file.ts';
import { isKey } from './storage.ts';
import { DirectoryStorage } from './storage-directory.ts';

export interface PeerRouteOptions {
  /** One on each disk. */
  readonly folders: readonly string[];
  readonly secrets: readonly string[];
  readonly clock: Clock;
}

const RECORDING = '^/recordings/(?<token>[^/]+)/(?<recording>[^/]+)/files';

export function peerRoutes(options: PeerRouteOptions): Route[] {
  const disks = new DirectoryStorage(options.folders);
  const route = (
    path: string,
    handle: (disks: DirectoryStorage, exchange: Exchange) => Promise<void>,
  ): Route => ({
    kind: 'recording-files',
    method: 'GET',
    pattern: new RegExp(`${RECORDING}${path}$`),
    handle: async (exchange) => {
      if (isAllowed(options, exchange)) await handle(disks, exchange);
    },
  });
  return [route('', sendListing), route('/(?<name>[^/]+)', sendFile)];
}

async function sendListing(disks: DirectoryStorage, exchange: Exchange): Promise<void> {
  sendJson(exchange, await Array.fromAsync(disks.list(`${exchange.params['recording']}/`)));
}

async function sendFile(disks: DirectoryStorage, exchange: Exchange): Promise<void> {
  const { recording, name } = exchange.params;
  const key = `${recording}/${name}`;
  const found = isKey(key) ? await sizeOf(disks, key) : undefined;
  if (found === undefined)
    return sendProblem(exchange, 404, 'Not Found', `there is nothing called ${quoted(key)} here`);
  await sendStored(exchange, {
    bytes: found,
    isWhole: false,
    type: 'application/octet-stream',
    etag: `"${sha256(`${key} ${found}`, 16)}"`,
    cacheControl: 'no-store',
    read: (from, to) => disks.read(key, from, to),
  });
}

async function sizeOf(disks: DirectoryStorage, key: string): Promise<number | undefined> {
  for await (const object of disks.list(key)) if (object.key === key) return object.bytes;
  return undefined;
}

/** Answers the refusal itself. */
function isAllowed({ secrets, clock }: PeerRouteOptions, exchange: Exchange): boolean {
  const { token = '', recording = '' } = exchange.params;
  const wanted = { purpose: 'relay', stream: streamOf(recording), nowMs: clock.now() } as const;
  const verdict = verifyToken(secrets, token, wanted);
  if (verdict.kind === 'refused') sendProblem(exchange, 403, 'Forbidden', verdict.reason);
  else if (isRecordingId(recording)) return true;
  else sendProblem(exchange, 404, 'Not Found', `${quoted(recording)} is no recording`);
  return false;
}
