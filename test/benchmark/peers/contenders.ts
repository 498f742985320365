// The servers that are compared, each started in a process of its own with the recording published to it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../network/clock.ts';
import { type Grant, signToken } from '../../../network/token.ts';
import { CLIENT_CORE, freePorts, PinnedProcess, SERVER_CORE, untilReady } from '../processes.ts';
import { recordingFile } from '../recording.ts';

export interface Contender {
  readonly server: PinnedProcess;
  readonly protocol: 'endless' | 'hls';
  /** An address for each viewer. */
  readonly urls: (viewers: number) => readonly string[];
  /** Where RTMP goes, if it is RTMP. */
  readonly rtmpPort: number;
  [Symbol.asyncDispose](): Promise<void>;
}

const SECRET = 'the secret of the benchmark';
export const STREAM = 'benchmark';

export interface HeadwaterOptions {
  readonly protocol: 'endless' | 'hls';
  readonly beatMs?: number;
  /** Whether the recording is published to it. */
  readonly publishes?: boolean;
}

export async function startHeadwater(options: HeadwaterOptions): Promise<Contender> {
  const [rtmpPort, usherPort, mediaPort] = (await freePorts(3)) as [number, number, number];
  const folder = mkdtempSync(join(tmpdir(), 'headwater-'));
  // The window fills in the warm-up, so that memory that grows later is the viewers'.
  writeFileSync(join(folder, 'config.yaml'), 'feed: { windowS: 6 }\nlog: error\n');
  const args = ['--config', join(folder, 'config.yaml'), '--data', folder, '--no-sample'];
  const ports = ['--rtmp-port', rtmpPort, '--usher-port', usherPort, '--media-port', mediaPort].map(String);
  const beat = options.beatMs === undefined ? [] : ['--beat-ms', String(options.beatMs)];
  const environment = { HEADWATER_SECRETS: SECRET };
  const server = new PinnedProcess('../../server.ts', [...args, ...ports, ...beat], {
    core: SERVER_CORE,
    environment,
  });
  await untilReady(`http://127.0.0.1:${usherPort}/readyz`);
  const publisher = options.publishes === false ? undefined : publish('rtmp', rtmpPort);
  const file = options.protocol === 'hls' ? await playlistName(usherPort) : 'live.mp4';
  const urls = (viewers: number): string[] =>
    Array.from({ length: viewers }, (_, viewer) => {
      return `http://127.0.0.1:${mediaPort}/play/${tokenFor('play', `viewer-${viewer}`)}/${STREAM}/source/${file}`;
    });
  const stop = async (): Promise<void> => {
    await publisher?.[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  };
  return { server, protocol: options.protocol, urls, rtmpPort, [Symbol.asyncDispose]: stop };
}

export async function startNodeMediaServer(): Promise<Contender> {
  const [rtmpPort, httpPort] = (await freePorts(2)) as [number, number];
  const folder = mkdtempSync(join(tmpdir(), 'headwater-'));
  const args = [rtmpPort, httpPort].map(String);
  const server = new PinnedProcess('peers/compared.ts', args, { core: SERVER_CORE, folder, quiet: true });
  await server.next();
  const publisher = publish('rtmp', rtmpPort);
  const urls = (viewers: number): string[] =>
    Array(viewers).fill(`http://127.0.0.1:${httpPort}/live/${STREAM}.flv`);
  const stop = async (): Promise<void> => {
    await publisher[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  };
  return { server, protocol: 'endless', urls, rtmpPort, [Symbol.asyncDispose]: stop };
}

export async function startFloor(beatMs: number): Promise<Contender> {
  const [portIn, portOut] = (await freePorts(2)) as [number, number];
  const server = new PinnedProcess('peers/floor.ts', [portIn, portOut, beatMs].map(String), {
    core: SERVER_CORE,
  });
  await server.next();
  const publisher = publish('raw', portIn);
  const urls = (viewers: number): string[] => Array(viewers).fill(`http://127.0.0.1:${portOut}/`);
  const stop = async (): Promise<void> => {
    await publisher[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  };
  return { server, protocol: 'endless', urls, rtmpPort: 0, [Symbol.asyncDispose]: stop };
}

function publish(protocol: 'rtmp' | 'raw', port: number): PinnedProcess {
  return new PinnedProcess('load/publish.ts', [protocol, String(port), recordingFile(), publishKey()], {
    core: CLIENT_CORE,
  });
}

/** The key that its servers take. */
export function publishKey(): string {
  return tokenFor('publish', '');
}

/** Each viewer is a session of its own. */
function tokenFor(purpose: Grant['purpose'], session: string): string {
  const expiresAtMs = systemClock.now() + 3_600_000;
  return signToken([SECRET], { purpose, stream: STREAM, session, expiresAtMs });
}

/** The last part of the first media playlist's address in the multivariant playlist. */
async function playlistName(usherPort: number): Promise<string> {
  const response = await untilReady(`http://127.0.0.1:${usherPort}/live/${STREAM}.m3u8`);
  const [uri] = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return uri!.slice(uri!.lastIndexOf('/') + 1);
}
