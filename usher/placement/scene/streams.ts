// Streams of a snapshot, and what their renditions take. Pure.

import type { Snapshot, StreamRecord } from '../../../network/state/state.ts';

/** Streams are in order of their names. */
export function findStream({ streams }: Pick<Snapshot, 'streams'>, name: string): StreamRecord | undefined {
  let from = 0;
  let to = streams.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (streams[middle]!.name < name) from = middle + 1;
    else to = middle;
  }
  return streams[from]?.name === name ? streams[from] : undefined;
}

/**
 * What a viewer is promised: the bitrate of the highest rendition that the multivariant playlist lists, because the player may
 * climb to it. Here are all of them, the highest first: where one does not fit, those below it may.
 */
export function rungsMbps({ renditions }: StreamRecord): number[] {
  const rungs = renditions.map(({ averageBps }) => averageBps / 1e6);
  return rungs.length > 1 ? rungs.sort((one, other) => other - one) : rungs;
}

/** What a copy takes: a server that has a stream has all that its viewers may choose. */
export function copyMbps({ renditions }: StreamRecord): number {
  return renditions.reduce((sum, { averageBps }) => sum + averageBps, 0) / 1e6;
}
