// A stream on one server: the origin's own, or one that follows a parent.

import type { Server } from './plant.ts';
import type { Stream } from './stream.ts';
import type { Viewer } from './viewer.ts';

export class Copy {
  readonly stream: Stream;
  readonly server: Server;
  readonly sinceMs: number;
  /** When it has, or had, its first whole segments; infinite while it waits for its first parent. */
  readyAtMs: number;
  /** Without any use since then. */
  idleSinceMs: number;
  /** Whether a plan wants it. */
  isPlanned = false;
  readonly #audience = new Set<Viewer>();
  readonly #children = new Set<Copy>();
  #parent: Copy | undefined;
  #viewers = 0;
  #pulls = 0;

  constructor(stream: Stream, server: Server, nowMs: number, readyAtMs: number) {
    this.stream = stream;
    this.server = server;
    this.sinceMs = nowMs;
    this.readyAtMs = readyAtMs;
    this.idleSinceMs = nowMs;
  }

  /** Undefined of an origin's, and of one that waits for a parent. */
  get parent(): Copy | undefined {
    return this.#parent;
  }

  get children(): ReadonlySet<Copy> {
    return this.#children;
  }

  /** How many watch it here: asked for far more often than who they are. */
  get viewers(): number {
    return this.#viewers;
  }

  /** CDNs that pull from it. */
  get pulls(): number {
    return this.#pulls;
  }

  /** Who watches it here. */
  get audience(): ReadonlySet<Viewer> {
    return this.#audience;
  }

  join(viewer: Viewer): void {
    this.#audience.add(viewer);
    this.#viewers = this.#audience.size;
    this.note();
  }

  part(viewer: Viewer): void {
    this.#audience.delete(viewer);
    this.#viewers = this.#audience.size;
    this.note();
  }

  follow(parent: Copy): void {
    this.#parent = parent;
    parent.#children.add(this);
    this.note();
    parent.note();
  }

  unfollow(): void {
    const parent = this.#parent;
    if (!parent) return;
    this.#parent = undefined;
    parent.#children.delete(this);
    this.note();
    parent.note();
  }

  /** By one CDN more, or one less. */
  pull(change: 1 | -1): void {
    this.#pulls += change;
    this.note();
  }

  /** Whoever looks at its server's copies finds it changed. */
  note(): void {
    this.server.changed?.add(this);
  }

  get isOrigin(): boolean {
    return this.stream.origin === this.server;
  }

  get isUsed(): boolean {
    return this.viewers > 0 || this.children.size > 0 || this.pulls > 0 || this.isPlanned || this.isOrigin;
  }
}
