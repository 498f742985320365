// The map of the network: each site where it stands, as large as what it sends and as red as it is full, and what flows between.

import { element, part } from '../../../player/page/dom.ts';
import type { CdnFigures, Cluster, LinkFigures, SiteFigures, Table } from '../../messages.ts';
import { Keyed, setData, setText, svgElement } from '../parts/dom.ts';
import { counted, dollars, percent, rate, strain } from '../parts/format.ts';
import { type Flow, Flows } from './flows.ts';
import { placeLabels, type Side } from './labels.ts';
import { loadOf, spotOf } from './site-load.ts';
import { type Point, type Spot, World } from './world.ts';

interface Dot {
  readonly name: string;
  readonly site: SiteFigures;
  readonly at: Point;
  readonly radius: number;
}

interface Marker extends Dot {
  readonly side: Side;
}

/** Pixels; on small maps the largest is a share of the width. */
const RADIUS = { min: 6, max: 24, ofWidth: 1 / 36 };
/** Less than this is small, however little the others send. */
const LEAST_MBPS = 100;
/** A label in the styles' small text: so wide is a letter, so high are two lines. */
const LABEL = { letterPx: 7, heightPx: 32, paddingPx: 6 };

export class SiteMap {
  readonly #box: HTMLElement;
  readonly #world: World;
  readonly #svg: SVGSVGElement;
  readonly #outline: SVGPathElement;
  readonly #graticule: SVGPathElement;
  readonly #viewerPath: SVGPathElement;
  readonly #flows: Flows;
  readonly #markers: Keyed<Marker, HTMLAnchorElement>;
  readonly #cdns: Keyed<[string, CdnFigures]>;
  #cluster: Cluster | undefined;
  #viewer: Spot | undefined;
  #served: string | undefined;
  #areFlowsShown = true;
  #shape = '';

  private constructor(box: HTMLElement, world: World) {
    this.#box = box;
    this.#world = world;
    this.#svg = part<SVGSVGElement>(box, 'land');
    this.#graticule = this.#svg.appendChild(svgElement('path', { class: 'graticule' }));
    this.#outline = this.#svg.appendChild(svgElement('path', { class: 'land' }));
    this.#viewerPath = this.#svg.appendChild(svgElement('path', { class: 'viewer' }));
    this.#flows = new Flows(this.#svg, part(box, 'drops'));
    this.#markers = new Keyed(part(box, 'markers'), ({ name }) => name, markerOf, showMarker);
    this.#cdns = new Keyed(part(box, 'cdns'), ([name]) => name, cdnOf, showCdn);
    new ResizeObserver(() => this.#draw()).observe(box);
  }

  static async open(box: HTMLElement): Promise<SiteMap> {
    return new SiteMap(box, await World.load());
  }

  /** Calls back with the place that is clicked; a click on a site leads to its page. What flows between sites is not shown then. */
  onPlace(chosen: (spot: Spot) => void): void {
    this.#areFlowsShown = false;
    this.#box.classList.add('pick');
    this.#svg.addEventListener('click', ({ offsetX: x, offsetY: y }) => {
      const spot = this.#world.spotAt({ x, y });
      if (spot) chosen(spot);
    });
  }

  /** Marks a viewer, and the way to the site that serves it. */
  point(viewer: Spot | undefined, site: string | undefined): void {
    this.#viewer = viewer;
    this.#served = site;
    this.#draw();
  }

  show(cluster: Cluster): void {
    this.#cluster = cluster;
    this.#draw();
  }

  #draw(): void {
    if (!this.#cluster) return;
    const { sites, links, cdns } = this.#cluster;
    const placed = Object.entries(sites).flatMap(([name, site]) => {
      const spot = spotOf(site);
      return spot ? [{ name, site, spot }] : [];
    });
    this.#fit(placed.map(({ spot }) => spot));
    const width = this.#box.clientWidth;
    const most = Math.max(LEAST_MBPS, ...placed.map(({ site }) => site.sentMbps));
    const markers = this.#withSides(
      placed
        .map(({ name, site, spot }) => ({
          name,
          site,
          at: this.#world.pointOf(spot),
          radius: radiusOf(site, most, width),
        }))
        .sort((one, other) => other.site.sentMbps - one.site.sentMbps || (one.name < other.name ? -1 : 1)),
    );
    this.#markers.show(markers);
    this.#cdns.show(Object.entries(cdns));
    const points = new Map(markers.map(({ name, at }) => [name, at]));
    this.#flows.show(this.#areFlowsShown ? flowsOf(points, links) : []);
    this.#drawViewer(points);
  }

  /** Land is drawn anew only when the window or the sites change. */
  #fit(spots: readonly Spot[]): void {
    const { clientWidth: width, clientHeight: height } = this.#box;
    const shape = JSON.stringify([width, height, spots]);
    if (shape === this.#shape || width === 0) return;
    this.#shape = shape;
    this.#world.fit(spots, width, height);
    this.#svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.#outline.setAttribute('d', this.#world.outline);
    this.#graticule.setAttribute('d', this.#world.graticule);
  }

  #drawViewer(points: ReadonlyMap<string, Point>): void {
    const at = this.#viewer && this.#world.pointOf(this.#viewer);
    const to = this.#served === undefined ? undefined : points.get(this.#served);
    const way = at && to ? `M${at.x},${at.y}L${to.x},${to.y}` : '';
    const ring = at ? `M${at.x - 6},${at.y}a6,6 0 1,0 12,0a6,6 0 1,0 -12,0` : '';
    this.#viewerPath.setAttribute('d', way + ring);
  }

  #withSides(dots: readonly Dot[]): Marker[] {
    const { clientWidth, clientHeight } = this.#box;
    const labelled = dots.map(({ at, radius, name, site }) => {
      const letters = Math.max(name.length, labelOf(site).length);
      return { at, radius, width: letters * LABEL.letterPx + LABEL.paddingPx, height: LABEL.heightPx };
    });
    const sides = placeLabels(labelled, clientWidth, clientHeight);
    return dots.map((dot, index) => ({ ...dot, side: sides[index]! }));
  }
}

/** The area of a dot is as what the site sends. */
function radiusOf({ sentMbps }: SiteFigures, mostMbps: number, width: number): number {
  const { min, max, ofWidth } = RADIUS;
  return min + (Math.min(max, width * ofWidth) - min) * Math.sqrt(sentMbps / mostMbps);
}

function labelOf({ sentMbps }: SiteFigures): string {
  return rate(sentMbps);
}

function markerOf({ name }: Marker): HTMLAnchorElement {
  const link = element('a', 'marker');
  link.href = `/console/sites/${encodeURIComponent(name)}`;
  const label = element('span', 'marker-label');
  label.append(element('b', '', name), ' ', element('span', ''), ' ', element('i', 'unseen'));
  link.append(element('span', 'marker-dot'), label);
  return link;
}

function showMarker(link: HTMLAnchorElement, { site, at, radius, side }: Marker): void {
  const load = loadOf(site);
  const move = `translate(${at.x.toFixed(1)}px, ${at.y.toFixed(1)}px)`;
  if (link.style.transform !== move) link.style.transform = move;
  setStyle(link, '--radius', `${radius.toFixed(1)}px`);
  setStyle(link, '--load', load.toFixed(3));
  setData(link, 'strain', site.servers === 0 ? 'none' : strain(load));
  setData(link, 'side', side);
  setText(link.querySelector('.marker-label > span')!, labelOf(site));
  const more = `${counted(site.viewers)} viewers, ${percent(load)} full`;
  setText(link.querySelector('.unseen')!, more);
  if (link.title !== more) link.title = more;
}

function cdnOf(): HTMLElement {
  return element('li', 'cdn');
}

function showCdn(item: HTMLElement, [name, { viewers, microUsdPerHour }]: [string, CdnFigures]): void {
  setData(item, 'state', viewers > 0 || microUsdPerHour > 0 ? 'used' : 'idle');
  setText(
    item,
    `CDN ${name}: ${viewers > 0 ? `${counted(viewers)} viewers, ` : ''}${dollars(microUsdPerHour)}/h`,
  );
}

function flowsOf(points: ReadonlyMap<string, Point>, links: Table<LinkFigures>): Flow[] {
  return Object.entries(links).flatMap(([key, { thereMbps, backMbps, capacityMbps }]) => {
    const [one = '', other = ''] = key.split('/');
    const [from, to] = [points.get(one), points.get(other)];
    const most = Math.max(thereMbps, backMbps);
    const load = capacityMbps === undefined ? 0 : most / capacityMbps;
    return from && to && most > 0 ? [{ key, from, to, thereMbps, backMbps, load }] : [];
  });
}

function setStyle(target: HTMLElement, name: string, value: string): void {
  if (target.style.getPropertyValue(name) !== value) target.style.setProperty(name, value);
}
