// Placement: which server a viewer is sent to. A pure function of the snapshot and the request.

import type { ServerRecord, Snapshot, StreamRecord } from '../network/state.ts';

export type Decision =
  | { readonly kind: 'serve'; readonly server: ServerRecord; readonly stream: StreamRecord }
  | { readonly kind: 'unknown' };

/** The server that holds the stream. */
export function place(snapshot: Snapshot, request: { readonly stream: string }): Decision {
  for (const server of snapshot.servers) {
    const stream = server.streams.find((candidate) => candidate.name === request.stream);
    if (stream) return { kind: 'serve', server, stream };
  }
  return { kind: 'unknown' };
}
