// A recorded rendition as one seekable MP4 file: its init, an index of its segments (`sidx`), and the segments, their times from 0. Pure.

import type { PlacedSegment } from '../../network/archive/recording.ts';
import { needBox, readBoxes, viewOf } from '../../network/media/boxes.ts';
import type { Init } from '../../network/media/init.ts';

export interface Download {
  /** Init and `sidx`. */
  readonly head: Uint8Array;
  /** The segments, each with where it begins in the file. */
  readonly segments: readonly { readonly segment: PlacedSegment; readonly at: number }[];
  /** Of the whole file. */
  readonly bytes: number;
  /** What is taken from the times of each track. */
  readonly baseTicks: ReadonlyMap<number, number>;
}

/**
 * One file has one init: what is given must be of one epoch or of epochs with the same init, as `runsOf` gives it. Times are
 * those of the feed, which may be hours in: the first segment's start is taken from all.
 */
export function layOut(segments: readonly PlacedSegment[], init: Init): Download {
  const [first] = segments;
  if (!first) throw new Error('a download has a segment');
  const index = writeSidx(segments, init);
  const head = new Uint8Array(init.bytes.length + index.length);
  head.set(init.bytes);
  head.set(index, init.bytes.length);
  let at = head.length;
  const placed = segments.map((segment) => {
    const start = at;
    at += segment.bytes;
    return { segment, at: start };
  });
  const baseTicks = new Map(
    init.tracks.map(({ id, timescale }) => [id, Math.floor((first.startUs * timescale) / 1_000_000)]),
  );
  return { head, segments: placed, bytes: at, baseTicks };
}

/** A segment's bytes with its times taken back; bytes and sizes stay, so that any range of the file can be made alone. */
export function rebase(segment: Uint8Array, baseTicks: Download['baseTicks']): Uint8Array {
  const bytes = segment.slice();
  const view = viewOf(bytes);
  for (const moof of readBoxes(view)) {
    if (moof.type !== 'moof') continue;
    const traf = needBox(view, ['traf'], moof);
    const trackId = view.getUint32(needBox(view, ['tfhd'], traf).body + 4);
    const tfdt = needBox(view, ['tfdt'], traf);
    const time = view.getBigUint64(tfdt.body + 4) - BigInt(baseTicks.get(trackId) ?? 0);
    view.setBigUint64(tfdt.body + 4, time > 0n ? time : 0n);
  }
  return bytes;
}

/** Segments that can be one file: a new one begins where the init changes. Bytes of inits tell, epochs do not. */
export function runsOf(
  segments: readonly PlacedSegment[],
  isSameInit: (one: PlacedSegment, other: PlacedSegment) => boolean,
): PlacedSegment[][] {
  const runs: PlacedSegment[][] = [];
  for (const segment of segments) {
    const last = runs.at(-1)?.at(-1);
    if (last && (last.init === segment.init || isSameInit(last, segment))) runs.at(-1)!.push(segment);
    else runs.push([segment]);
  }
  return runs;
}

const SIDX_HEAD_BYTES = 8 + 4 + 8 + 16 + 4;
const REFERENCE_BYTES = 12;
/** The count has 16 bits: beyond it several segments share an entry. */
const MAX_REFERENCES = 65_535;
const STARTS_WITH_SAP = 0x80000000;
const SAP_TYPE_1 = 0x10000000;

/** ISO/IEC 14496-12 8.16.3, version 1. Times and durations are of the track that leads. */
function writeSidx(segments: readonly PlacedSegment[], { lead }: Init): Uint8Array {
  const perEntry = Math.ceil(segments.length / MAX_REFERENCES);
  const entries = Array.from({ length: Math.ceil(segments.length / perEntry) }, (_, at) =>
    segments.slice(at * perEntry, (at + 1) * perEntry),
  );
  const bytes = new Uint8Array(SIDX_HEAD_BYTES + entries.length * REFERENCE_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, bytes.length);
  bytes.set(Buffer.from('sidx'), 4);
  view.setUint8(8, 1);
  view.setUint32(12, lead.id);
  view.setUint32(16, lead.timescale);
  // Earliest presentation time and first offset are 0: the segments follow at once.
  view.setUint16(38, entries.length);
  const ticks = (us: number): number => Math.round((us * lead.timescale) / 1_000_000);
  for (const [at, entry] of entries.entries()) {
    const offset = SIDX_HEAD_BYTES + at * REFERENCE_BYTES;
    view.setUint32(
      offset,
      entry.reduce((sum, segment) => sum + segment.bytes, 0),
    );
    view.setUint32(
      offset + 4,
      entry.reduce((sum, { startUs, endUs }) => sum + ticks(endUs) - ticks(startUs), 0),
    );
    view.setUint32(offset + 8, entry[0]!.isIndependent ? STARTS_WITH_SAP | SAP_TYPE_1 : 0);
  }
  return bytes;
}
