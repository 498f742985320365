// What listeners are told of one look after another: the differences, of so many streams at a time. Pure.

import type { Cluster, StreamFigures, Table } from '../messages.ts';
import { applyPatch, type JsonPatch, patchBetween } from '../patch.ts';

/** Told in one message, of those that are there before and after: what changed most, and then the others in turn. */
export const MAX_STREAMS = 200;
/** Of those the ones that come in turn: 2,000 streams that all change a little are told within 40 s. */
const IN_TURN = 50;

export interface Told {
  readonly patch: JsonPatch | undefined;
  /** What whoever applies the patch has then. */
  readonly cluster: Cluster;
}

/** Remembers whose turn it is. */
export class Changes {
  #turn = '';

  between(told: Cluster, now: Cluster): Told {
    const patch = patchBetween({ ...told, streams: {} }, { ...now, streams: {} }) ?? {};
    const streams = this.#streams(told.streams, now.streams);
    const whole: JsonPatch = { ...patch, ...(streams ? { streams } : {}) };
    const isEmpty = Object.keys(whole).length === 0;
    return isEmpty ? { patch: undefined, cluster: told } : { patch: whole, cluster: applyPatch(told, whole) };
  }

  #streams(told: Table<StreamFigures>, now: Table<StreamFigures>): JsonPatch | undefined {
    const all = patchBetween(told, now);
    if (!all) return undefined;
    const changed = Object.keys(all).filter((name) => isSmall(told[name], now[name]));
    if (changed.length <= MAX_STREAMS) return all;
    const kept = this.#chosen(changed, told, now);
    const entries = Object.entries(all).filter(([name]) => kept.has(name) || !isSmall(told[name], now[name]));
    return Object.fromEntries(entries);
  }

  #chosen(
    changed: readonly string[],
    told: Table<StreamFigures>,
    now: Table<StreamFigures>,
  ): ReadonlySet<string> {
    const weight = (name: string): number => Math.abs(now[name]!.viewers - told[name]!.viewers);
    const heaviest = changed.toSorted((one, other) => weight(other) - weight(one));
    const chosen = new Set(heaviest.slice(0, MAX_STREAMS - IN_TURN));
    const rest = changed.filter((name) => !chosen.has(name));
    const from = Math.max(
      0,
      rest.findIndex((name) => name > this.#turn),
    );
    const next = rest.slice(from, from + IN_TURN);
    for (const name of next) chosen.add(name);
    this.#turn = next.at(-1) ?? '';
    return chosen;
  }
}

/** It came, went, or goes on elsewhere: that is told at once. */
function isSmall(before: StreamFigures | undefined, after: StreamFigures | undefined): boolean {
  return (
    before !== undefined &&
    after !== undefined &&
    before.isLive === after.isLive &&
    before.origin === after.origin
  );
}
