// nginx as it is measured: as a caching proxy before Headwater, and with nginx-rtmp as a server of RTMP and of HLS from files.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLIENT_CORE, freePorts, PinnedProcess, SERVER_CORE, untilReady } from '../processes.ts';
import { type Contender, publish, STREAM, sameFor, temporaryFolder, tokenFor } from './contender.ts';
import { startHeadwater } from './headwater.ts';

/** Of Debian's libnginx-mod-rtmp. */
const RTMP_MODULE = '/usr/lib/nginx/modules/ngx_rtmp_module.so';
const SEGMENT_S = 2;

/** Asks Headwater, on the other core, for everything once; as `usher/cdn/nginx.conf` says it. */
export async function startNginxCache(protocol: 'parts' | 'segments'): Promise<Contender> {
  await using opened = new AsyncDisposableStack();
  const keyFrameEveryS = protocol === 'segments' ? SEGMENT_S : 1;
  const origin = opened.use(await startHeadwater({ protocol, keyFrameEveryS, core: CLIENT_CORE }));
  const [port] = (await freePorts(1)) as [number];
  const folder = temporaryFolder(opened);
  const server = opened.use(startNginx(folder, '', cacheOf(folder, port, origin.mediaPort)));
  // One token for all, as players that are sent to a CDN have it.
  const url = `http://127.0.0.1:${port}/play/${tokenFor('play', '')}/${origin.path}`;
  await untilReady(url);
  const stop = opened.move();
  return { server, protocol, urls: sameFor(url), [Symbol.asyncDispose]: () => stop.disposeAsync() };
}

export interface NginxRtmpOptions {
  readonly protocol: 'rtmp' | 'segments';
  /** `out_cork` and `out_queue`, which gather what is sent. */
  readonly isCorked?: boolean;
  /** Whether the recording is published to it. */
  readonly publishes?: boolean;
  readonly segmentS?: number;
}

export interface NginxRtmp extends Contender {
  readonly rtmpPort: number;
}

export async function startNginxRtmp(options: NginxRtmpOptions): Promise<NginxRtmp> {
  await using opened = new AsyncDisposableStack();
  const { protocol, publishes = true, segmentS = SEGMENT_S } = options;
  const [rtmpPort, port] = (await freePorts(2)) as [number, number];
  const folder = temporaryFolder(opened);
  const writesFiles = protocol === 'segments';
  const rtmp = rtmpOf(folder, rtmpPort, { ...options, segmentS });
  const server = opened.use(startNginx(folder, rtmp, filesOf(folder, port)));
  await untilReady(`http://127.0.0.1:${port}/healthz`);
  const playlist = `http://127.0.0.1:${port}/hls/${STREAM}.m3u8`;
  if (publishes) opened.use(publish('rtmp', rtmpPort, segmentS));
  if (publishes && writesFiles) await untilReady(playlist);
  const url = writesFiles ? playlist : `rtmp://127.0.0.1:${rtmpPort}/live/${STREAM}`;
  const stop = opened.move();
  return { server, protocol, rtmpPort, urls: sameFor(url), [Symbol.asyncDispose]: () => stop.disposeAsync() };
}

/** One process, as one worker is, so that all it takes is one process's. */
function startNginx(folder: string, rtmp: string, http: string): PinnedProcess {
  const file = join(folder, 'nginx.conf');
  const load = rtmp === '' ? '' : `load_module ${RTMP_MODULE};\n`;
  const common = `${load}daemon off;\nmaster_process off;\nuser root;\npid ${folder}/nginx.pid;\nerror_log stderr crit;`;
  const events = 'events { worker_connections 20000; multi_accept on; }';
  const connections = 'access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;';
  writeFileSync(file, `${common}\n${events}\n${rtmp}\nhttp {\n${connections}\n${http}\n}\n`);
  return new PinnedProcess('nginx', ['-p', folder, '-c', file], { core: SERVER_CORE, isProgram: true });
}

function cacheOf(folder: string, port: number, originPort: number): string {
  return `
    upstream origin { server 127.0.0.1:${originPort}; keepalive 32; }
    proxy_cache_path ${folder}/cache levels=1:2 keys_zone=media:16m use_temp_path=off;
    server {
      listen 127.0.0.1:${port} backlog=4096;
      location / {
        proxy_pass http://origin;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_cache media;
        proxy_cache_key $uri?$arg__HLS_msn.$arg__HLS_part.$arg__HLS_skip;
        proxy_cache_lock on;
        proxy_cache_lock_timeout 20s;
        proxy_cache_lock_age 20s;
      }
    }`;
}

function filesOf(folder: string, port: number): string {
  return `
    server {
      listen 127.0.0.1:${port} backlog=4096;
      location /healthz { return 200; }
      location /hls/ { root ${folder}; types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; } }
    }`;
}

function rtmpOf(
  folder: string,
  port: number,
  { protocol, isCorked, segmentS }: NginxRtmpOptions & { readonly segmentS: number },
): string {
  const corked = isCorked ? 'out_queue 1024; out_cork 32;' : '';
  const files =
    protocol === 'segments'
      ? `hls on; hls_path ${folder}/hls; hls_fragment ${segmentS}s; hls_playlist_length ${6 * segmentS}s;`
      : '';
  return `rtmp { server { listen 127.0.0.1:${port}; chunk_size 4096; ${corked} application live { live on; ${files} } } }`;
}
