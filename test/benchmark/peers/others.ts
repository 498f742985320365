// node-media-server as it is measured, and the floor: what Node takes at least.

import { freePorts, PinnedProcess, SERVER_CORE } from '../processes.ts';
import { type Contender, publish, STREAM, sameFor, temporaryFolder } from './contender.ts';

export async function startNodeMediaServer(protocol: 'endless' | 'rtmp'): Promise<Contender> {
  await using opened = new AsyncDisposableStack();
  const [rtmpPort, httpPort] = (await freePorts(2)) as [number, number];
  const folder = temporaryFolder(opened);
  const args = [rtmpPort, httpPort].map(String);
  const server = opened.use(
    new PinnedProcess('peers/compared.ts', args, { core: SERVER_CORE, folder, quiet: true }),
  );
  await server.next();
  opened.use(publish('rtmp', rtmpPort));
  const path = `live/${STREAM}`;
  const url =
    protocol === 'rtmp' ? `rtmp://127.0.0.1:${rtmpPort}/${path}` : `http://127.0.0.1:${httpPort}/${path}.flv`;
  const stop = opened.move();
  return { server, protocol, urls: sameFor(url), [Symbol.asyncDispose]: () => stop.disposeAsync() };
}

export async function startFloor(beatMs: number): Promise<Contender> {
  await using opened = new AsyncDisposableStack();
  const [portIn, portOut] = (await freePorts(2)) as [number, number];
  const args = [portIn, portOut, beatMs].map(String);
  const server = opened.use(new PinnedProcess('peers/floor.ts', args, { core: SERVER_CORE }));
  await server.next();
  opened.use(publish('raw', portIn));
  const stop = opened.move();
  const urls = sameFor(`http://127.0.0.1:${portOut}/`);
  return { server, protocol: 'endless', urls, [Symbol.asyncDispose]: () => stop.disposeAsync() };
}
