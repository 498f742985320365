// A stream on one server: the origin's own, or one that follows a parent.

import type { Server } from './plant.ts';
import type { Stream } from './stream.ts';
import type { Viewer } from './viewer.ts';

export class Copy {
  readonly stream: Stream;
  readonly server: Server;
  readonly children = new Set<Copy>();
  readonly sinceMs: number;
  /** Undefined of an origin's, and of one that waits for a parent. */
  parent: Copy | undefined;
  /** When it has, or had, its first whole segments; infinite while it waits for its first parent. */
  readyAtMs: number;
  /** How many watch it here: asked for far more often than who they are. */
  viewers = 0;
  /** CDNs that pull from it. */
  pulls = 0;
  /** Without any use since then. */
  idleSinceMs: number;
  /** Whether a plan wants it. */
  isPlanned = false;
  readonly #audience = new Set<Viewer>();

  constructor(stream: Stream, server: Server, nowMs: number, readyAtMs: number) {
    this.stream = stream;
    this.server = server;
    this.sinceMs = nowMs;
    this.readyAtMs = readyAtMs;
    this.idleSinceMs = nowMs;
  }

  /** Who watches it here. */
  get audience(): ReadonlySet<Viewer> {
    return this.#audience;
  }

  join(viewer: Viewer): void {
    this.#audience.add(viewer);
    this.viewers = this.#audience.size;
  }

  part(viewer: Viewer): void {
    this.#audience.delete(viewer);
    this.viewers = this.#audience.size;
  }

  get isOrigin(): boolean {
    return this.stream.origin === this.server;
  }

  get isUsed(): boolean {
    return this.viewers > 0 || this.children.size > 0 || this.pulls > 0 || this.isPlanned || this.isOrigin;
  }
}
