// The world as a picture: where land is, and where a place on it stands on the screen. The door to d3-geo, topojson and the atlas.

import type * as D3 from 'd3-geo';
import type { GeoPermissibleObjects, GeoProjection } from 'd3-geo';
import type * as Topojson from 'topojson-client';
import type { Topology } from 'topojson-specification';

declare const d3: typeof D3;
declare const topojson: typeof Topojson;

export interface Spot {
  readonly latitude: number;
  readonly longitude: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

const LAND_URL = '/assets/land-110m.json';
/** Nobody serves from beyond: without Antarctica all else is larger. */
const SOUTH = -56;
const NORTH = 76;
/** What is shown at least, also of sites that stand near each other; and what is left around the outermost, in degrees. */
const LEAST = { longitude: 70, latitude: 40 };
const AROUND = { longitude: 16, latitude: 11 };

export class World {
  readonly #land: GeoPermissibleObjects;
  #projection: GeoProjection = d3.geoNaturalEarth1();

  private constructor(land: GeoPermissibleObjects) {
    this.#land = land;
  }

  static async load(): Promise<World> {
    const atlas = (await (await fetch(LAND_URL)).json()) as Topology;
    return new World(topojson.feature(atlas, atlas.objects['land']!) as GeoPermissibleObjects);
  }

  /** Shows so much of the world that all spots are on it. */
  fit(spots: readonly Spot[], width: number, height: number): void {
    const coordinates = frameOf(spots);
    this.#projection = d3.geoNaturalEarth1().fitExtent(
      [
        [8, 8],
        [width - 8, height - 8],
      ],
      { type: 'MultiPoint', coordinates },
    );
    this.#projection.clipExtent([
      [0, 0],
      [width, height],
    ]);
  }

  /** Land, as the `d` of a path. */
  get outline(): string {
    return d3.geoPath(this.#projection).digits(1)(this.#land) ?? '';
  }

  get graticule(): string {
    return d3.geoPath(this.#projection).digits(1)(d3.geoGraticule10()) ?? '';
  }

  /** Undefined beside the globe. */
  spotAt({ x, y }: Point): Spot | undefined {
    const [longitude, latitude] = this.#projection.invert?.([x, y]) ?? [];
    if (longitude === undefined || latitude === undefined) return undefined;
    return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : undefined;
  }

  pointOf({ latitude, longitude }: Spot): Point {
    const [x, y] = this.#projection([longitude, latitude]) ?? [0, 0];
    return { x, y };
  }
}

/** The border of what is to be seen. */
function frameOf(spots: readonly Spot[]): [number, number][] {
  const [west, east] = rangeOf(
    spots.map(({ longitude }) => longitude),
    'longitude',
    [-168, 178],
  );
  const [south, north] = rangeOf(
    spots.map(({ latitude }) => latitude),
    'latitude',
    [SOUTH, NORTH],
  );
  const steps = Array.from({ length: 9 }, (_, step) => step / 8);
  return steps.flatMap((share): [number, number][] => {
    const [longitude, latitude] = [west + share * (east - west), south + share * (north - south)];
    return [
      [longitude, south],
      [longitude, north],
      [west, latitude],
      [east, latitude],
    ];
  });
}

function rangeOf(
  values: readonly number[],
  axis: keyof typeof LEAST,
  [least, most]: readonly [number, number],
): [number, number] {
  if (values.length === 0) return [least, most];
  const [low, high] = [Math.min(...values) - AROUND[axis], Math.max(...values) + AROUND[axis]];
  const missing = Math.max(0, LEAST[axis] - (high - low)) / 2;
  return [Math.max(least, low - missing), Math.min(most, high + missing)];
}
