// Those who pull every copy from the stream's origin, and have no guard at their servers.

import type { Server } from '../world/plant.ts';
import type { Stream } from '../world/stream.ts';
import type { Pathway } from '../world/viewer.ts';

/** A player's time-out and its next request. */
const RELOAD_MS = 5_000;

export abstract class Star {
  readonly hasGuard = false;
  readonly failoverMs = RELOAD_MS;

  parents(stream: Stream, _server: Server): readonly Server[] {
    return stream.origin ? [stream.origin] : [];
  }
}

/** The one place that they send a viewer to. */
export function to(server: Server | undefined): readonly Pathway[] {
  return server ? [{ kind: 'server', server }] : [];
}
