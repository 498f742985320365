// Who is compared with whom: each kind of delivery, and those who do it.

import type { Contender } from './contender.ts';
import { startHeadwater } from './headwater.ts';
import { startNginxCache, startNginxRtmp } from './nginx.ts';
import { startFloor, startNodeMediaServer } from './others.ts';

/** What is asked for by --only. Those of one kind are compared with the one among them that is marked. */
export type Kind = '33ms' | '100ms' | '350ms' | 'parts' | 'segments';

export interface Case {
  readonly kind: Kind;
  readonly name: string;
  /** The others of its kind are told as shares of it. */
  readonly isMeasure?: boolean;
  readonly start: () => Promise<Contender>;
}

export const CASES: readonly Case[] = [
  ...([33, 100, 350] as const).flatMap((beatMs): Case[] => [
    {
      kind: `${beatMs}ms`,
      name: `raw socket, beat ${beatMs} ms`,
      isMeasure: true,
      start: () => startFloor(beatMs),
    },
    {
      kind: `${beatMs}ms`,
      name: `Headwater progressive, beat ${beatMs} ms`,
      start: () => startHeadwater({ protocol: 'endless', beatMs }),
    },
  ]),
  { kind: '33ms', name: 'node-media-server HTTP-FLV', start: () => startNodeMediaServer('endless') },
  { kind: '33ms', name: 'nginx-rtmp RTMP', start: () => startNginxRtmp({ protocol: 'rtmp' }) },
  { kind: '100ms', name: 'node-media-server RTMP', start: () => startNodeMediaServer('rtmp') },
  {
    kind: '100ms',
    name: 'nginx-rtmp RTMP, corked',
    start: () => startNginxRtmp({ protocol: 'rtmp', isCorked: true }),
  },
  {
    kind: 'parts',
    name: 'nginx proxy_cache, LL-HLS',
    isMeasure: true,
    start: () => startNginxCache('parts'),
  },
  { kind: 'parts', name: 'Headwater LL-HLS', start: () => startHeadwater({ protocol: 'parts' }) },
  {
    kind: 'segments',
    name: 'nginx proxy_cache, segments of 2 s',
    isMeasure: true,
    start: () => startNginxCache('segments'),
  },
  {
    kind: 'segments',
    name: 'Headwater segments of 2 s',
    start: () => startHeadwater({ protocol: 'segments', keyFrameEveryS: 2 }),
  },
  {
    kind: 'segments',
    name: 'nginx static files (nginx-rtmp, MPEG-TS), segments of 2 s',
    start: () => startNginxRtmp({ protocol: 'segments' }),
  },
];
