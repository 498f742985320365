// The seam between the simulated world and what decides in it: one of our policies, or what another system does.

import type { Copy } from './world/copy.ts';
import type { Server } from './world/plant.ts';
import type { Stream } from './world/stream.ts';
import type { Pathway, Viewer } from './world/viewer.ts';

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
  begin?(levers: Levers): void;
  /** A server has a stream that it began to follow so long ago. */
  copied?(copy: Copy, tookMs: number): void;
  /** A server or a CDN has the viewer now. */
  seen?(viewer: Viewer): void;
  /** It is not where it was seen any more. */
  left?(viewer: Viewer): void;
}

/** What who decides may do beside answering: to servers as a plan does, to viewers as steering does. */
export interface Levers {
  /** The server's copy; it begins to follow where it has none. */
  obtain(stream: Stream, server: Server): Copy;
  /** Has it follow the first of its parents, as they are now wanted, that can be followed. */
  follow(copy: Copy): void;
  /** To be called when a copy may have lost its last use. */
  release(copy: Copy): void;
  /** To the first of the pathways that has it, without a gap. False: it stays where it is. */
  move(viewer: Viewer, pathways: readonly Pathway[]): boolean;
}
