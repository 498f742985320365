// A stream's tree as a picture that grows and shrinks before one's eyes: servers as boxes, edges with what they carry and how long it takes.

import { browserClock } from '../../../player/clock.ts';
import type { TreeServer } from '../../messages.ts';
import { Keyed, makeScrollable, setData, setText, svgElement } from '../parts/dom.ts';
import { counted, countOf, rate } from '../parts/format.ts';
import { type Layout, layOut, type Place, type TreeNode } from './layout.ts';

export interface TreeEntry extends TreeNode {
  readonly server: TreeServer;
  /** From its parent: how long it takes, where that is known, and what it carries. */
  readonly rttMs: number | undefined;
  readonly mbps: number;
}

interface Shape {
  readonly boxWidth: number;
  readonly boxHeight: number;
  readonly columnPx: number;
  readonly rowPx: number;
}

/** Large trees are drawn denser, and on phones narrower: there the table says what an edge carries. */
const ROOMY: Shape = { boxWidth: 148, boxHeight: 40, columnPx: 296, rowPx: 54 };
const DENSE: Shape = { boxWidth: 196, boxHeight: 20, columnPx: 344, rowPx: 25 };
const NARROW: Shape = { boxWidth: 122, boxHeight: 40, columnPx: 196, rowPx: 50 };
const ROOMY_ROWS = 14;
const NARROW_PX = 480;
const MARGIN_PX = 6;
/** Of texts in a box. */
const INSET_PX = 10;
/** Where an edge has come to the height of its end; beyond it, it is flat below its label. */
const BEND_PX = 44;
/** What leaves fades for so long. */
const LEAVING_MS = 400;

export class TreeView {
  readonly #svg: SVGSVGElement;
  readonly #boxes: Keyed<TreeEntry, SVGGElement>;
  readonly #edges: Keyed<TreeEntry, SVGGElement>;
  #layout: Layout = { places: new Map(), rows: 0, columns: 0 };
  #shape = ROOMY;

  constructor(box: HTMLElement) {
    const svg = box.appendChild(svgElement('svg', { class: 'tree-picture' }));
    this.#svg = svg;
    makeScrollable(box, 'The tree; the table of its servers below says the same');
    const edges = svg.appendChild(svgElement('g', { class: 'edges' }));
    const boxes = svg.appendChild(svgElement('g', { class: 'boxes' }));
    const keyOf = ({ id }: TreeEntry): string => id;
    this.#edges = new Keyed(edges, keyOf, edgeOf, (edge, server) => this.#showEdge(edge, server), leave);
    this.#boxes = new Keyed(boxes, keyOf, boxOf, (box, server) => this.#showBox(box, server), leave);
  }

  show(servers: readonly TreeEntry[]): void {
    this.#layout = layOut(servers);
    this.#shape = this.#fitting();
    const { boxWidth, columnPx, rowPx } = this.#shape;
    const width = Math.max(0, this.#layout.columns - 1) * columnPx + boxWidth + 2 * MARGIN_PX;
    const height = Math.max(1, this.#layout.rows) * rowPx + 2 * MARGIN_PX;
    setAttribute(this.#svg, 'width', String(width));
    setAttribute(this.#svg, 'height', String(height));
    setData(this.#svg, 'shape', this.#shape === DENSE ? 'dense' : 'roomy');
    this.#boxes.show(servers);
    this.#edges.show(servers.filter(({ parent }) => parent !== null && this.#layout.places.has(parent)));
  }

  #fitting(): Shape {
    if (this.#svg.parentElement!.clientWidth < NARROW_PX) return NARROW;
    return this.#layout.rows > ROOMY_ROWS ? DENSE : ROOMY;
  }

  #showBox(box: SVGGElement, { id, server }: TreeEntry): void {
    const { boxWidth, boxHeight } = this.#shape;
    const [left, top] = this.#cornerOf(this.#layout.places.get(id)!);
    const move = `translate(${left}px, ${top}px)`;
    if (box.style.transform !== move) box.style.transform = move;
    setData(box, 'state', server.state);
    const [frame, name, detail] = box.querySelector('a')!.children as unknown as [
      SVGElement,
      SVGElement,
      SVGElement,
    ];
    setAttribute(frame, 'width', String(boxWidth));
    setAttribute(frame, 'height', String(boxHeight));
    setText(name, id);
    const isDense = this.#shape === DENSE;
    setAttribute(detail, 'x', String(isDense ? boxWidth - INSET_PX : INSET_PX));
    setAttribute(detail, 'text-anchor', isDense ? 'end' : 'start');
    const viewers = isDense ? counted(server.viewers) : countOf(server.viewers, 'viewer');
    setText(detail, `${viewers} · ${server.site}`);
  }

  #showEdge(edge: SVGGElement, { id, parent, rttMs, mbps, server: { state } }: TreeEntry): void {
    const { boxWidth, boxHeight } = this.#shape;
    const [fromLeft, fromTop] = this.#cornerOf(this.#layout.places.get(parent!)!);
    const [toLeft, toTop] = this.#cornerOf(this.#layout.places.get(id)!);
    const from = { x: fromLeft + boxWidth, y: fromTop + boxHeight / 2 };
    const to = { x: toLeft, y: toTop + boxHeight / 2 };
    const [line, label] = edge.children as unknown as [SVGPathElement, SVGTextElement];
    const [turn, flat] = [from.x + BEND_PX / 2, from.x + BEND_PX];
    bend(line, `M${from.x} ${from.y}C${turn} ${from.y} ${turn} ${to.y} ${flat} ${to.y}L${to.x} ${to.y}`);
    setData(edge, 'state', state);
    const move = `translate(${to.x - 6}px, ${to.y - 5}px)`;
    if (label.style.transform !== move) label.style.transform = move;
    const time = rttMs === undefined ? [] : [`${Math.round(rttMs)} ms`];
    const carries = this.#shape === NARROW && rttMs !== undefined ? [] : [rate(mbps)];
    setText(label, state === 'coming' ? 'coming' : [...time, ...carries].join(' · '));
  }

  #cornerOf({ depth, row }: Place): [left: number, top: number] {
    const { columnPx, rowPx, boxHeight } = this.#shape;
    return [MARGIN_PX + depth * columnPx, MARGIN_PX + row * rowPx + (rowPx - boxHeight) / 2];
  }
}

function boxOf({ id }: TreeEntry): SVGGElement {
  const box = svgElement('g', { class: 'box' });
  const link = svgElement('a', { class: 'box-link', href: `/console/servers/${encodeURIComponent(id)}` });
  link.append(
    svgElement('rect', { rx: 8 }),
    svgElement('text', { class: 'box-name', x: INSET_PX }),
    svgElement('text', { class: 'box-detail' }),
  );
  box.append(link);
  return box;
}

function edgeOf(): SVGGElement {
  const edge = svgElement('g', { class: 'edge' });
  edge.append(svgElement('path'), svgElement('text', { 'text-anchor': 'end' }));
  return edge;
}

/** Browsers that know the property move the line to its new place; the others draw it there. */
function bend(line: SVGPathElement, path: string): void {
  if (line.getAttribute('d') === path) return;
  line.setAttribute('d', path);
  line.style.setProperty('d', `path("${path}")`);
}

function leave(gone: SVGGElement): void {
  gone.classList.add('leaving');
  browserClock.after(LEAVING_MS, () => gone.remove());
}

function setAttribute(target: Element, name: string, value: string): void {
  if (target.getAttribute(name) !== value) target.setAttribute(name, value);
}
