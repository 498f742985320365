// Headwater as it is measured: one process with everything in it.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Protocol } from '../load/load.ts';
import { freePorts, SERVER_CORE, startProgram, untilReady } from '../processes.ts';
import { type Contender, publish, SECRET, STREAM, temporaryFolder, tokenFor } from './contender.ts';

export interface HeadwaterOptions {
  readonly protocol: Exclude<Protocol, 'rtmp'>;
  readonly beatMs?: number;
  /** Whether the recording is published to it. */
  readonly publishes?: boolean;
  readonly keyFrameEveryS?: number;
  /** What it may send: more than the core can, if nothing is said. */
  readonly egressMbps?: number;
  /** How busy its core may be before it takes no further viewers; 1, if nothing is said: as busy as can be. */
  readonly cpuLimit?: number;
  readonly core?: number;
}

export interface Headwater extends Contender {
  readonly rtmpPort: number;
  readonly mediaPort: number;
  /** Of what is played, behind the token. */
  readonly path: string;
}

const MORE_THAN_A_CORE_MBPS = 100_000;

export async function startHeadwater(options: HeadwaterOptions): Promise<Headwater> {
  await using opened = new AsyncDisposableStack();
  const { protocol, core = SERVER_CORE, beatMs, cpuLimit = 1 } = options;
  const { egressMbps = MORE_THAN_A_CORE_MBPS } = options;
  const [rtmpPort, usherPort, mediaPort] = (await freePorts(3)) as [number, number, number];
  const folder = temporaryFolder(opened);
  // The window fills in the warm-up, so that memory that grows later is the viewers'.
  const config = `feed: { windowS: 6 }\negressMbps: ${egressMbps}\ncpuLimit: ${cpuLimit}\nlog: error\n`;
  writeFileSync(join(folder, 'config.yaml'), config);
  const args = ['--config', join(folder, 'config.yaml'), '--data', folder, '--no-sample'];
  const ports = ['--rtmp-port', rtmpPort, '--usher-port', usherPort, '--media-port', mediaPort].map(String);
  const beat = beatMs === undefined ? [] : ['--beat-ms', String(beatMs)];
  const environment = { HEADWATER_SECRETS: SECRET };
  const server = opened.use(startProgram([...args, ...ports, ...beat], { core, environment }));
  await untilReady(`http://127.0.0.1:${usherPort}/readyz`);
  if (options.publishes !== false) opened.use(publish('rtmp', rtmpPort, options.keyFrameEveryS));
  const file = protocol === 'endless' ? 'live.mp4' : await playlistName(usherPort);
  const path = `${STREAM}/source/${file}`;
  const urls = (viewers: number): string[] =>
    Array.from({ length: viewers }, (_, viewer) => {
      return `http://127.0.0.1:${mediaPort}/play/${tokenFor('play', `viewer-${viewer}`)}/${path}`;
    });
  const stop = opened.move();
  return {
    ...{ server, protocol, urls, rtmpPort, mediaPort, path },
    [Symbol.asyncDispose]: () => stop.disposeAsync(),
  };
}

/** The last part of the first media playlist's address in the multivariant playlist. */
async function playlistName(usherPort: number): Promise<string> {
  const response = await untilReady(`http://127.0.0.1:${usherPort}/live/${STREAM}.m3u8`);
  const [uri] = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return uri!.slice(uri!.lastIndexOf('/') + 1);
}
