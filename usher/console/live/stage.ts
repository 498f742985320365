// What all who listen have been told: one computation for each look, of the cluster and of the streams that somebody asked for.

import { clusterOf } from '../figures/cluster.ts';
import { streamDetail } from '../figures/stream.ts';
import type { Cluster, ClusterEvent, LiveMessages, Patch, StreamDetail } from '../messages.ts';
import { patchBetween } from '../patch.ts';
import type { Sight } from '../watch/watch.ts';
import { Changes } from './changes.ts';
import { type Frame, frameOf } from './frame.ts';

/** What one look brought. */
export interface Tick {
  readonly number: number;
  /** Of the cluster, and events. */
  readonly frames: readonly Frame[];
  readonly streams: ReadonlyMap<string, Frame>;
}

/** A listener that comes again within so many looks hears what it missed, and not all anew. */
const MAX_TICKS = 30;

export class Stage {
  readonly #name: string;
  readonly #changes = new Changes();
  /** The last ones, without gaps. */
  #ticks: Tick[] = [];
  #number = 0;
  #cluster: Cluster;
  #lastEvent: number;
  /** Of those that are asked for; null: it is not there. */
  readonly #streams = new Map<string, StreamDetail | null>();
  #whole: Frame | undefined;

  /** `name` tells this usher's numbers from those of another. */
  constructor(name: string, sight: Sight, lastEvent: number) {
    this.#name = name;
    this.#cluster = clusterOf(sight.look, sight.tally);
    this.#lastEvent = lastEvent;
  }

  /** The next look, with what happened since `lastEvent`; undefined: nothing is new. */
  advance(sight: Sight, wanted: ReadonlySet<string>, eventsAfter: EventsAfter): Tick | undefined {
    const { patch, cluster } = this.#changes.between(this.#cluster, clusterOf(sight.look, sight.tally));
    const events = eventsAfter(this.#lastEvent);
    const streams = this.#advanceStreams(sight, wanted);
    if (!patch && events.length === 0 && streams.size === 0) return undefined;
    this.#cluster = cluster;
    this.#lastEvent = events.at(-1)?.id ?? this.#lastEvent;
    this.#number += 1;
    this.#whole = undefined;
    const frames = [
      ...(events.length > 0 ? [frameOf('events', events)] : []),
      frameOf('change', (patch ?? {}) as Patch<Cluster>, this.#id),
    ];
    const tick = { number: this.#number, frames, streams };
    this.#ticks = [...this.#ticks.slice(1 - MAX_TICKS), tick];
    return tick;
  }

  /** All that somebody hears who comes anew. */
  get whole(): Frame {
    this.#whole ??= frameOf('cluster', this.#cluster, this.#id);
    return this.#whole;
  }

  /** A stream as it was told last, or as it is if nobody has asked for it. */
  stream(name: string, sight: Sight): Frame {
    if (!this.#streams.has(name))
      this.#streams.set(name, streamDetail(name, sight.look, sight.tally) ?? null);
    return frameOf('stream', { name, stream: this.#streams.get(name)! });
  }

  /** The ticks after the one that a listener has heard last; undefined: they are not known any more. */
  after(id: string): readonly Tick[] | undefined {
    const [, name, number] = /^(.+)\.(\d+)$/.exec(id) ?? [];
    const missed = this.#number - Number(number);
    if (name !== this.#name || missed < 0 || missed > this.#ticks.length) return undefined;
    return missed === 0 ? [] : this.#ticks.slice(-missed);
  }

  get #id(): string {
    return `${this.#name}.${this.#number}`;
  }

  #advanceStreams(sight: Sight, wanted: ReadonlySet<string>): Map<string, Frame> {
    const frames = new Map<string, Frame>();
    for (const name of this.#streams.keys()) if (!wanted.has(name)) this.#streams.delete(name);
    for (const name of wanted) {
      const before = this.#streams.get(name);
      const after = streamDetail(name, sight.look, sight.tally) ?? null;
      this.#streams.set(name, after);
      const frame = streamFrame(name, before, after);
      if (frame) frames.set(name, frame);
    }
    return frames;
  }
}

export type EventsAfter = (id: number) => readonly ClusterEvent[];

function streamFrame(
  name: string,
  before: StreamDetail | null | undefined,
  after: StreamDetail | null,
): Frame | undefined {
  if (!before || !after) return before === after ? undefined : frameOf('stream', { name, stream: after });
  const patch = patchBetween(before, after);
  return patch && frameOf('stream-change', { name, patch } as LiveMessages['stream-change']);
}
