// The servers that have the bytes of a recording, and orders to them.

import { type CatalogueEntry, STORAGE } from '../../../network/archive/catalogue.ts';
import type { Clock } from '../../../network/clock.ts';
import { reasonOf } from '../../../network/errors.ts';
import type { Answer, Order, SendOrder } from '../../../network/http/dial.ts';
import { isAlive } from '../../../network/state/liveness.ts';
import type { KnownServer, Snapshot } from '../../../network/state/state.ts';
import { signToken } from '../../../network/token.ts';

export interface KeeperOptions {
  readonly sendOrder: SendOrder;
  readonly clock: Clock;
  readonly secrets: readonly string[];
}

export interface Keepers {
  /** Those that are there, who has most of it first; one that reads storage when only that has it. */
  readonly servers: readonly KnownServer[];
  /** Ids of those that are not there. */
  readonly away: readonly string[];
}

/** Of one recording. */
export function keepersOf(snapshot: Snapshot, entries: readonly CatalogueEntry[]): Keepers {
  const living = snapshot.servers.filter(
    (server) => isAlive(server.beatAtMs, snapshot) && server.roles.includes('origin'),
  );
  const ids = entries.map(({ keeper }) => keeper).filter((keeper) => keeper !== STORAGE);
  const servers = ids.flatMap((id) => living.find((server) => server.id === id) ?? []);
  const isStored = ids.length < entries.length;
  return {
    servers: servers.length === 0 && isStored ? living.slice(0, 1) : servers,
    away: ids.filter((id) => !living.some((server) => server.id === id)),
  };
}

export interface KeeperOrder {
  readonly method: Order['method'];
  readonly path?: string;
  /** JSON. */
  readonly body?: string;
}

/** An hour of video may be read and written. */
const TIMEOUT_MS = 60_000;
/** The order is for now. */
const TOKEN_MS = 60_000;

/** A server that does not answer is one that answers with 503. */
export async function tell(
  { secrets, clock, sendOrder }: KeeperOptions,
  { id: server, relayUrl }: KnownServer,
  { id, stream }: CatalogueEntry,
  { method, path = '', body }: KeeperOrder,
): Promise<Answer> {
  const expiresAtMs = clock.now() + TOKEN_MS;
  const token = signToken(secrets, { purpose: 'own', stream, expiresAtMs, session: '' });
  const url = `${relayUrl}/recordings/${token}/${id}${path}`;
  try {
    return await sendOrder({ method, url, ...(body === undefined ? {} : { text: body }) }, TIMEOUT_MS);
  } catch (error) {
    const detail = `server ${server} does not answer: ${reasonOf(error)}`;
    return { status: 503, text: JSON.stringify({ title: 'Service Unavailable', status: 503, detail }) };
  }
}
