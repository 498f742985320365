// One who watches, or would.

import type { Group } from './group.ts';
import type { PlantCdn, Server } from './plant.ts';
import type { Stream } from './stream.ts';

/** Where a viewer may be sent. */
export type Pathway = ServerPathway | CdnPathway;

export interface ServerPathway {
  readonly kind: 'server';
  readonly server: Server;
}

export interface CdnPathway {
  readonly kind: 'cdn';
  readonly cdn: PlantCdn;
  readonly shields: readonly Server[];
}

/**
 * `asking` until a server or a CDN has it, and between two of them; `refused` and `left` are for ever. Each viewer is in one
 * of these at any time.
 */
export type ViewerState = 'asking' | 'served' | 'overflowed' | 'refused' | 'left';

export class Viewer {
  readonly id: number;
  readonly stream: Stream;
  readonly group: Group;
  readonly leavesAtMs: number;
  state: ViewerState = 'asking';
  server: Server | undefined;
  cdn: PlantCdn | undefined;
  /** When it came to where it is. */
  sinceMs: number;
  /** How often it asked in vain since it was last served. */
  failures = 0;

  constructor(id: number, stream: Stream, group: Group, nowMs: number, leavesAtMs: number) {
    this.id = id;
    this.stream = stream;
    this.group = group;
    this.sinceMs = nowMs;
    this.leavesAtMs = leavesAtMs;
  }

  get isHere(): boolean {
    return this.state !== 'refused' && this.state !== 'left';
  }
}
