// A process of viewers, told over its channel to its parent what to watch and when to begin and end counting.

import { systemClock as clock } from '../../../network/clock.ts';
import { HlsViewer } from './load-hls.ts';
import { watchParts } from './load-parts.ts';
import { EndlessViewer } from './load-progressive.ts';
import { RtmpViewer } from './load-rtmp.ts';
import { watchSegments } from './load-segments.ts';
import { type Opened, openAll } from './opening.ts';
import { serveSockets } from './sockets.ts';
import { Tally, type TallyResult } from './tally.ts';
import type { Viewer, Watcher } from './viewer.ts';

/** `parts`: low-latency HLS; `segments`: HLS as it always was. */
export type Protocol = 'endless' | 'parts' | 'segments' | 'rtmp';

export type LoadRequest =
  /** Opens a viewer for each address, and answers when each has received something or was turned away, or time is up. */
  | { readonly kind: 'open'; readonly protocol: Protocol; readonly urls: readonly string[] }
  /** Forgets what was counted. */
  | { readonly kind: 'begin' }
  | { readonly kind: 'end' };

export type LoadAnswer = OpenedAnswer | { readonly kind: 'begun' } | LoadResult;
export type OpenedAnswer = Opened & { readonly kind: 'opened' };
export type LoadResult = TallyResult & { readonly kind: 'result'; readonly lost: number };

const OPENERS: Readonly<Record<Protocol, (url: URL, watcher: Watcher) => Viewer>> = {
  endless: (url, watcher) => new EndlessViewer(url, watcher),
  parts: (url, watcher) => new HlsViewer(url, watcher, watchParts),
  segments: (url, watcher) => new HlsViewer(url, watcher, watchSegments),
  rtmp: (url, watcher) => new RtmpViewer(url, watcher),
};

const tally = new Tally(clock);
let lost = 0;
/** Each is said once. */
const reasons = new Set<string>();

process.on('disconnect', () => process.exit());
process.on('message', async (request: LoadRequest) => {
  process.send!(await answer(request));
});
serveSockets(clock);

async function answer(request: LoadRequest): Promise<LoadAnswer> {
  if (request.kind === 'end') return { kind: 'result', lost, ...tally.result() };
  if (request.kind === 'open') return { kind: 'opened', ...(await open(request.protocol, request.urls)) };
  lost = 0;
  tally.reset();
  return { kind: 'begun' };
}

function open(protocol: Protocol, urls: readonly string[]): Promise<Opened> {
  const source = () => tally.source();
  const onLost = (why: string): void => {
    lost += 1;
    if (!reasons.has(why)) console.error(`a viewer was lost: ${why}`);
    reasons.add(why);
  };
  return openAll({ urls, open: OPENERS[protocol], source, onLost, clock });
}
