// The tree of the stream that is watched most: a row for each level, a circle for each server, as large as its audience.

import { type CopyData, svg, type TreeData } from './data.ts';

const WIDTH = 1120;
const ROW = 86;
const MARGIN = 40;

interface Dot {
  readonly copy: CopyData;
  readonly depth: number;
  readonly parent: Dot | undefined;
  x: number;
}

export function drawTree(parent: SVGSVGElement, { copies }: TreeData): void {
  const dots = layOut(copies);
  const depth = Math.max(0, ...dots.map((dot) => dot.depth));
  parent.setAttribute('viewBox', `0 0 ${WIDTH} ${2 * MARGIN + depth * ROW}`);
  const most = Math.max(1, ...copies.map(([, , viewers]) => viewers));
  parent.replaceChildren(...dots.flatMap(lineOf), ...dots.map((dot) => circleOf(dot, most, copies.length)));
}

/** Leaves stand side by side, parents above the middle of their children. */
function layOut(copies: readonly CopyData[]): Dot[] {
  const dots: Dot[] = [];
  for (const copy of copies) {
    const parent = dots[copy[1]];
    dots.push({ copy, parent, depth: parent ? parent.depth + 1 : 0, x: 0 });
  }
  const childrenOf = Map.groupBy(dots, ({ parent }) => parent);
  const leaves = dots.filter((dot) => !childrenOf.has(dot));
  const step = (WIDTH - 2 * MARGIN) / Math.max(1, leaves.length - 1);
  let leaf = 0;
  const place = (dot: Dot): void => {
    const children = childrenOf.get(dot) ?? [];
    for (const child of children) place(child);
    if (children.length > 0) dot.x = (children[0]!.x + children.at(-1)!.x) / 2;
    else dot.x = leaves.length === 1 ? WIDTH / 2 : MARGIN + step * leaf++;
  };
  for (const root of childrenOf.get(undefined) ?? []) place(root);
  return dots;
}

function lineOf({ x, depth, parent }: Dot): SVGElement[] {
  if (!parent) return [];
  const from = heightOf(parent.depth);
  const to = heightOf(depth);
  const middle = (from + to) / 2;
  return [svg('path', { d: `M${parent.x} ${from}C${parent.x} ${middle} ${x} ${middle} ${x} ${to}` })];
}

function circleOf({ copy, x, depth }: Dot, most: number, count: number): SVGElement {
  const [server, , viewers, percent, isReady] = copy;
  const group = svg('g', { transform: `translate(${x} ${heightOf(depth)})` });
  const radius = 3 + 15 * Math.sqrt(viewers / most) * Math.min(1, 40 / count);
  const site = server.replace(/-\d+$/, '');
  group.append(
    svg(
      'title',
      {},
      `${server}: ${viewers} viewers of the stream, ${percent} % full${isReady ? '' : ', not yet ready'}`,
    ),
    svg('circle', { r: radius, class: isReady ? `site-${site}` : 'coming', fill: hueOf(site) }),
  );
  if (count <= 48) group.append(svg('text', { y: radius + 12 }, server));
  return group;
}

function heightOf(depth: number): number {
  return MARGIN + depth * ROW;
}

/** A colour for each site. */
function hueOf(site: string): string {
  let hash = 7;
  for (const letter of site) hash = (hash * 31 + letter.charCodeAt(0)) % 360;
  return `hsl(${(hash * 47) % 360} 62% 52%)`;
}
