// What flows between sites: curves as wide as what they carry, with drops that run along them.

import { Keyed, setData, svgElement } from '../parts/dom.ts';
import { strain } from '../parts/format.ts';
import type { Point } from './world.ts';

/** Between two places, in both directions. */
export interface Flow {
  readonly key: string;
  readonly from: Point;
  readonly to: Point;
  readonly thereMbps: number;
  readonly backMbps: number;
  /** Of what may flow there; 0 where no limit is known. */
  readonly load: number;
}

interface Way {
  readonly key: string;
  readonly from: Point;
  readonly to: Point;
}

/** The largest are shown. */
const MAX_FLOWS = 24;
/** How far the middle of a curve is beside the straight line, as a share of its length. */
const BEND = 0.16;
const STEPS = 16;
/** Pixels in a second. */
const SPEED = 60;
const CALM = matchMedia('(prefers-reduced-motion: reduce)');

interface Drop extends HTMLElement {
  run?: Animation | undefined;
}

export class Flows {
  readonly #lines: Keyed<Flow, SVGPathElement>;
  readonly #drops: Keyed<Way, Drop>;

  constructor(svg: SVGSVGElement, overlay: HTMLElement) {
    const keyOf = ({ key }: Flow): string => key;
    const lines = svg.appendChild(svgElement('g', { class: 'flows' }));
    this.#lines = new Keyed(lines, keyOf, () => svgElement('path'), showLine);
    this.#drops = new Keyed<Way, Drop>(overlay, ({ key }) => key, dropOf, showDrop);
  }

  show(flows: readonly Flow[]): void {
    const largest = flows.toSorted((one, other) => sumOf(other) - sumOf(one)).slice(0, MAX_FLOWS);
    this.#lines.show(largest);
    this.#drops.show(CALM.matches ? [] : largest.flatMap(waysOf));
  }
}

function sumOf({ thereMbps, backMbps }: Flow): number {
  return thereMbps + backMbps;
}

function waysOf({ key, from, to, thereMbps, backMbps }: Flow): Way[] {
  return [
    ...(thereMbps > 0 ? [{ key: `${key} there`, from, to }] : []),
    ...(backMbps > 0 ? [{ key: `${key} back`, from: to, to: from }] : []),
  ];
}

function showLine(line: SVGPathElement, flow: Flow): void {
  const { from, to, load } = flow;
  const path = `M${round(from)}Q${round(middleOf(from, to))} ${round(to)}`;
  if (line.getAttribute('d') !== path) line.setAttribute('d', path);
  const width = Math.min(6, 0.75 + Math.log10(1 + sumOf(flow)) * 0.75).toFixed(1);
  if (line.getAttribute('stroke-width') !== width) line.setAttribute('stroke-width', width);
  setData(line, 'strain', strain(load));
}

function dropOf(): Drop {
  const made: Drop = document.createElement('i');
  made.className = 'drop';
  made.ariaHidden = 'true';
  return made;
}

/** The compositor moves it, beside the page's own thread. It starts anew only when the ends of the curve have moved. */
function showDrop(drop: Drop, { from, to }: Way): void {
  const way = `${round(from)} ${round(to)}`;
  if (drop.dataset['way'] === way) return;
  drop.dataset['way'] = way;
  drop.run?.cancel();
  const middle = middleOf(from, to);
  const steps = Array.from({ length: STEPS + 1 }, (_, step) => {
    const { x, y } = pointOn(from, middle, to, step / STEPS);
    return { transform: `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)` };
  });
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const duration = Math.max(900, (length / SPEED) * 1_000);
  drop.run = drop.animate(steps, { duration, iterations: Number.POSITIVE_INFINITY });
}

function middleOf(from: Point, to: Point): Point {
  const [x, y] = [to.x - from.x, to.y - from.y];
  // Always to the north of the line, whichever way it flows.
  const side = x >= 0 ? 1 : -1;
  return { x: from.x + x / 2 + side * y * BEND, y: from.y + y / 2 - side * x * BEND - Math.abs(x) * 0.02 };
}

function pointOn(from: Point, middle: Point, to: Point, share: number): Point {
  const rest = 1 - share;
  const on = (a: number, b: number, c: number): number =>
    rest * rest * a + 2 * rest * share * b + share * share * c;
  return { x: on(from.x, middle.x, to.x), y: on(from.y, middle.y, to.y) };
}

function round({ x, y }: Point): string {
  return `${x.toFixed(1)},${y.toFixed(1)}`;
}
