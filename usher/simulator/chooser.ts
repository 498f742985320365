// The seam between the simulated world and what decides in it: one of our policies, or what another system does.

import type { Copy } from './world/copy.ts';
import type { Server } from './world/plant.ts';
import type { Stream } from './world/stream.ts';
import type { Pathway, Viewer } from './world/viewer.ts';
import type { World } from './world/world.ts';

export interface Chooser {
  readonly name: string;
  /** Its servers refuse a viewer or another server that would take them past their card's limit. */
  readonly hasGuard: boolean;
  /** A copy that nobody uses goes after this long. */
  readonly lingerMs: number;
  /** How long a viewer, or a server that follows, needs to see that the other side is gone and to go on elsewhere. */
  readonly failoverMs: number;
  /** Where a viewer goes, best first; nothing: it is refused. `avoid` are servers that it found dead or full. */
  choose(viewer: Viewer, avoid: readonly Server[]): readonly Pathway[];
  /** Whom a server follows that is to have a stream: the first of these that is alive and has it. */
  parents(stream: Stream, server: Server): readonly Server[];
  /** The world stands, and nobody has come yet. */
  begin?(world: World): void;
  /** A server has a stream that it began to follow so long ago. */
  copied?(copy: Copy, tookMs: number): void;
  /** A server or a CDN has the viewer now. */
  seen?(viewer: Viewer): void;
  /** It is not where it was seen any more. */
  left?(viewer: Viewer): void;
}
