// Pictures of a recorded file: one to show it by, and many small ones in a sprite, for a seek bar. What is in a sprite follows from the index. Pure.

import { type FileIndex, type RecordedSegment, segmentsOf } from './index-file.ts';
import type { PlacedSegment } from './recording.ts';

/** Behind the name of the file that they are of. */
export const THUMBNAIL = '.thumbnail.jpg';
export const SPRITE = '.sprite.jpg';
export const PICTURES = [THUMBNAIL, SPRITE] as const;

export type Picture = (typeof PICTURES)[number];

/** Pixels. A picture of another shape stands in the middle of its tile. */
export const TILE = { width: 160, height: 90 } as const;
export const SPRITE_COLUMNS = 10;
/** A sprite of a file of ten minutes has one every 6 s, 1600 by 900 pixels, 200 KB or so. */
const MAX_TILES = 100;
const LEAST_US = 2_000_000;

/** The segments whose key frames are the tiles of a file's sprite, in order. */
export function tilesOf<Segment extends RecordedSegment>(segments: readonly Segment[]): Segment[] {
  const durationUs = segments.reduce((sum, { startUs, endUs }) => sum + endUs - startUs, 0);
  const periodUs = Math.max(LEAST_US, Math.ceil(durationUs / MAX_TILES));
  let atUs = 0;
  let dueUs = 0;
  return segments.filter(({ startUs, endUs, isIndependent }) => {
    const isTile = isIndependent && atUs >= dueUs;
    if (isTile) dueUs = atUs + periodUs;
    atUs += endUs - startUs;
    return isTile;
  });
}

/**
 * A WebVTT file whose cues are places in sprites (W3C Media Fragments 4.2.2: `#xywh=`), as players' seek bars read it. `segments`
 * as they play; `sprites` are the indexes of the files that have one, by the file's name.
 */
export function thumbnailsVtt(
  segments: readonly PlacedSegment[],
  sprites: ReadonlyMap<string, FileIndex>,
): string {
  const tiles = new Map([...sprites].map(([file, index]) => [file, tileNumbers(index)]));
  const cues: { readonly atUs: number; readonly place: string }[] = [];
  let endUs = 0;
  for (const { file, msn, startUs, endUs: until } of segments) {
    const tile = tiles.get(file)?.get(msn);
    if (tile !== undefined) cues.push({ atUs: endUs, place: `${file}${SPRITE}#xywh=${placeOf(tile)}` });
    endUs += until - startUs;
  }
  const texts = cues.map(({ atUs, place }, at) => {
    const toUs = cues[at + 1]?.atUs ?? endUs;
    return `\n${timeText(atUs)} --> ${timeText(toUs)}\n${place}\n`;
  });
  return `WEBVTT\n${texts.join('')}`;
}

/** By media sequence number. */
function tileNumbers(index: FileIndex): ReadonlyMap<number, number> {
  return new Map(tilesOf(segmentsOf(index)).map(({ msn }, tile) => [msn, tile]));
}

function placeOf(tile: number): string {
  const x = (tile % SPRITE_COLUMNS) * TILE.width;
  const y = Math.floor(tile / SPRITE_COLUMNS) * TILE.height;
  return [x, y, TILE.width, TILE.height].join(',');
}

/** `01:02:03.456`. */
function timeText(us: number): string {
  const ms = Math.round(us / 1000);
  const two = (count: number): string => String(count).padStart(2, '0');
  const [hours, minutes, seconds] = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60].map(Math.floor);
  return `${two(hours!)}:${two(minutes!)}:${two(seconds!)}.${String(ms % 1000).padStart(3, '0')}`;
}
