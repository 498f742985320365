// The copies of streams in the simulated network: they take time to come, follow their parents over the links, and go when unused.

import type { Chooser } from '../chooser.ts';
import type { Dice } from '../dice.ts';
import type { Times } from '../scenario.ts';
import { Copy } from './copy.ts';
import type { Events } from './events.ts';
import type { Level } from './level.ts';
import type { Meter } from './meter.ts';
import { type Plant, type Server, transitOf } from './plant.ts';
import type { Stream } from './stream.ts';

export interface CopiesOptions {
  readonly events: Events;
  readonly plant: Plant;
  readonly times: Times;
  readonly dice: Dice;
  /** Counts the copies beside those of origins. */
  readonly level: Level;
}

/** What a parent has it passes on at once: its child is whole so much later. */
const HOP_MS = 100;
const RETRY_MS = 1_000;

export class Copies {
  readonly #options: CopiesOptions;
  readonly #chooser: Chooser;
  /** What the copy's bytes go through beside its parent's card. */
  readonly #ways = new Map<Copy, Meter | undefined>();

  constructor(options: CopiesOptions, chooser: Chooser) {
    this.#options = options;
    this.#chooser = chooser;
  }

  /** That of a broadcaster who has come to the server, whether or not it followed the stream before. */
  originate(stream: Stream, server: Server): Copy {
    const { nowMs } = this.#options.events;
    stream.origin = server;
    const known = server.copies.get(stream);
    if (known) this.#detach(known);
    const copy = known ?? this.#add(new Copy(stream, server, nowMs, nowMs));
    if (known) this.#options.level.add(-1, nowMs);
    copy.readyAtMs = Math.min(copy.readyAtMs, nowMs);
    copy.note();
    return copy;
  }

  /** The server's copy; it begins to follow where it has none. */
  obtain(stream: Stream, server: Server): Copy {
    const known = server.copies.get(stream);
    if (known) return known;
    const copy = this.#add(new Copy(stream, server, this.#options.events.nowMs, Number.POSITIVE_INFINITY));
    this.#attach(copy);
    return copy;
  }

  /** Has it follow the first of its parents, as they are now wanted, that can be followed; the one that it has if none can. */
  follow(copy: Copy): void {
    if (copy.isOrigin) return;
    const parent = this.#parentFor(copy);
    if (parent && parent !== copy.parent) this.#attach(copy);
  }

  /** To be called when a copy may have lost its last use. */
  release(copy: Copy): void {
    if (copy.isUsed) return;
    const { events } = this.#options;
    copy.idleSinceMs = events.nowMs;
    const sinceMs = copy.idleSinceMs;
    events.after(this.#chooser.lingerMs, () => {
      if (!copy.isUsed && copy.idleSinceMs === sinceMs && copy.server.copies.get(copy.stream) === copy)
        this.#remove(copy);
    });
  }

  /** All that a server had is gone; who followed it looks for other parents. */
  lose(server: Server): void {
    for (const copy of [...server.copies.values()]) {
      const orphans = [...copy.children];
      for (const orphan of orphans) this.#detach(orphan);
      this.#remove(copy);
      for (const orphan of orphans)
        this.#options.events.after(this.#chooser.failoverMs, () => this.#resume(orphan));
    }
  }

  /** Those that go from one site to the other take the way that there is now. */
  reroute(from: string, to: string): void {
    for (const copy of [...this.#ways.keys()]) {
      const { parent } = copy;
      if (!parent || parent.server.site.site.name !== from || copy.server.site.site.name !== to) continue;
      this.#detach(copy);
      this.#tie(copy, parent);
    }
  }

  #add(copy: Copy): Copy {
    copy.server.copies.set(copy.stream, copy);
    copy.stream.copies.add(copy);
    copy.note();
    if (!copy.isOrigin) this.#options.level.add(1, this.#options.events.nowMs);
    return copy;
  }

  #remove(copy: Copy): void {
    this.#detach(copy);
    copy.server.copies.delete(copy.stream);
    copy.stream.copies.delete(copy);
    copy.note();
    if (!copy.isOrigin) this.#options.level.add(-1, this.#options.events.nowMs);
  }

  #resume(copy: Copy): void {
    const isThere = copy.server.copies.get(copy.stream) === copy;
    if (isThere && !copy.parent && !copy.isOrigin) this.#attach(copy);
  }

  #attach(copy: Copy): void {
    const parent = this.#parentFor(copy);
    if (!parent) {
      this.#options.events.after(RETRY_MS, () => this.#resume(copy));
      return;
    }
    this.#detach(copy);
    this.#tie(copy, parent);
    if (Number.isFinite(copy.readyAtMs)) return;
    const [least, most] = this.#options.times.copyMs;
    const takesMs = least + this.#options.dice.next() * (most - least);
    copy.readyAtMs = Math.max(this.#options.events.nowMs + takesMs, parent.readyAtMs + HOP_MS);
    this.#options.events.at(copy.readyAtMs, () => {
      if (copy.server.copies.get(copy.stream) === copy)
        this.#chooser.copied?.(copy, copy.readyAtMs - copy.sinceMs);
    });
  }

  #parentFor(copy: Copy): Copy | undefined {
    for (const server of this.#chooser.parents(copy.stream, copy.server)) {
      const parent = server.copies.get(copy.stream);
      if (!parent || !Number.isFinite(parent.readyAtMs) || isBelow(parent, copy)) continue;
      const isRefused = this.#chooser.hasGuard && !server.admits(copy.stream.kbps, 'feeder');
      if (parent === copy.parent || !isRefused) return parent;
    }
    return undefined;
  }

  #tie(copy: Copy, parent: Copy): void {
    const { plant, events } = this.#options;
    const way = wayBetween(plant, parent.server, copy.server);
    this.#ways.set(copy, way);
    copy.follow(parent);
    parent.server.feed(copy.stream.kbps, events.nowMs);
    way?.add(copy.stream.kbps, events.nowMs);
  }

  #detach(copy: Copy): void {
    const { nowMs } = this.#options.events;
    const { parent, stream } = copy;
    if (!parent) return;
    parent.server.feed(-stream.kbps, nowMs);
    this.#ways.get(copy)?.add(-stream.kbps, nowMs);
    this.#ways.delete(copy);
    copy.unfollow();
    this.release(parent);
  }
}

function isBelow(copy: Copy | undefined, other: Copy): boolean {
  for (let above = copy; above; above = above.parent) if (above === other) return true;
  return false;
}

/** The own link, or where there is none the Internet. */
function wayBetween(plant: Plant, from: Server, to: Server): Meter | undefined {
  if (from.site === to.site) return undefined;
  return plant.linkFrom(from, to)?.meter ?? transitOf(from.site.uplinks).meter;
}
