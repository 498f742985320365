// Placement: which server a viewer is sent to. A pure function of the snapshot and the request.

import { isAlive } from '../network/liveness.ts';
import type { ServerRecord, Snapshot, StreamRecord } from '../network/state.ts';

export type Decision =
  | { readonly kind: 'serve'; readonly server: ServerRecord; readonly stream: StreamRecord }
  | { readonly kind: 'unknown' };

/** The stream's origin. */
export function place(snapshot: Snapshot, request: { readonly stream: string }): Decision {
  const stream = snapshot.streams.find(({ name }) => name === request.stream);
  const server = stream && snapshot.servers.find(({ id }) => id === stream.origin);
  if (!server || !isAlive(server.beatAtMs, snapshot)) return { kind: 'unknown' };
  return { kind: 'serve', server, stream };
}
