// Where the labels of sites stand so that they do not cover each other: to a side of their dot, or nowhere. Pure.

import type { Point } from './world.ts';

export type Side = 'right' | 'left' | 'above' | 'below' | 'hidden';

export interface Labelled {
  readonly at: Point;
  readonly radius: number;
  /** Of the label. */
  readonly width: number;
  readonly height: number;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const SIDES = ['right', 'left', 'below', 'above'] as const;
const GAP = 4;

/** Those that come first choose first. A label without room is hidden, and its dot says all when it is pointed at. */
export function placeLabels(labelled: readonly Labelled[], width: number, height: number): Side[] {
  const taken: Box[] = labelled.map(({ at, radius }) => around(at, radius));
  return labelled.map((each, index) => {
    const side = SIDES.find((candidate) => {
      const box = boxOf(each, candidate);
      const isInside = box.left >= 0 && box.right <= width && box.top >= 0 && box.bottom <= height;
      return isInside && !taken.some((other, at) => at !== index && overlap(box, other));
    });
    if (!side) return 'hidden';
    taken.push(boxOf(each, side));
    return side;
  });
}

function boxOf({ at: { x, y }, radius, width, height }: Labelled, side: (typeof SIDES)[number]): Box {
  const left = {
    right: x + radius + GAP,
    left: x - radius - GAP - width,
    below: x - width / 2,
    above: x - width / 2,
  };
  const top = {
    right: y - height / 2,
    left: y - height / 2,
    below: y + radius + GAP,
    above: y - radius - GAP - height,
  };
  return { left: left[side], top: top[side], right: left[side] + width, bottom: top[side] + height };
}

function around({ x, y }: Point, radius: number): Box {
  return { left: x - radius, top: y - radius, right: x + radius, bottom: y + radius };
}

function overlap(one: Box, other: Box): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}
