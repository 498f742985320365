// Where other servers that keep a recording are: who the catalogue says has it, as far as they live.

import { type Catalogue, STORAGE, streamOf } from '../archive/catalogue.ts';
import type { PeersOf } from '../archive/storage-peers.ts';
import type { Clock } from '../clock.ts';
import { isAlive } from './liveness.ts';
import type { ClusterState, Snapshot } from './state.ts';

export interface KeepersOptions {
  /** This server. */
  readonly id: string;
  readonly state: Pick<ClusterState, 'snapshot'>;
  readonly catalogue: Pick<Catalogue, 'list'>;
  readonly clock: Clock;
}

/** Servers come and go slowly, and viewers may ask for many recordings at a time. */
const SNAPSHOT_MS = 5_000;

export function findPeers({ id: self, state, catalogue, clock }: KeepersOptions): PeersOf {
  let seen: { readonly atMs: number; readonly snapshot: Promise<Snapshot> } | undefined;
  const look = (): Promise<Snapshot> => {
    const atMs = clock.monotonic();
    if (!seen || atMs - seen.atMs >= SNAPSHOT_MS) seen = { atMs, snapshot: state.snapshot() };
    seen.snapshot.catch(() => {
      seen = undefined;
    });
    return seen.snapshot;
  };
  return async (recording) => {
    const entries = await catalogue.list(streamOf(recording));
    const others = entries.filter(
      ({ id, keeper }) => id === recording && keeper !== self && keeper !== STORAGE,
    );
    if (others.length === 0) return [];
    const snapshot = await look();
    return others.flatMap(({ keeper }) => {
      const server = snapshot.servers.find(({ id }) => id === keeper);
      return server && isAlive(server.beatAtMs, snapshot) ? [server.relayUrl] : [];
    });
  };
}
