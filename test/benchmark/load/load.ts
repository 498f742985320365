// A process of viewers, told over its channel to its parent what to watch and when to begin and end counting.

import { systemClock } from '../../../network/clock.ts';
import { HlsViewer } from './load-hls.ts';
import { EndlessViewer } from './load-progressive.ts';
import { RtmpViewer } from './load-rtmp.ts';
import { SegmentsViewer } from './load-segments.ts';
import { Tally, type TallyResult } from './tally.ts';

/** `parts`: low-latency HLS; `segments`: HLS as it always was. */
export type Protocol = 'endless' | 'parts' | 'segments' | 'rtmp';

export type LoadRequest =
  /** Opens a viewer for each address, and answers when all of them have received something or been turned away. */
  | { readonly kind: 'open'; readonly protocol: Protocol; readonly urls: readonly string[] }
  /** Forgets what was counted. */
  | { readonly kind: 'begin' }
  | { readonly kind: 'end' };

export type LoadAnswer =
  | { readonly kind: 'opened'; readonly refused: number }
  | { readonly kind: 'begun' }
  | LoadResult;
export type LoadResult = TallyResult & { readonly kind: 'result'; readonly lost: number };

/** New connections are spread over time: a listen queue is 511 by default. */
const OPENED_AT_ONCE = 400;

const VIEWERS = { endless: EndlessViewer, parts: HlsViewer, segments: SegmentsViewer, rtmp: RtmpViewer };

const tally = new Tally(systemClock);
let lost = 0;

process.on('disconnect', () => process.exit());
process.on('message', async (request: LoadRequest) => {
  process.send!(await answer(request));
});

async function answer(request: LoadRequest): Promise<LoadAnswer> {
  if (request.kind === 'end') return { kind: 'result', lost, ...tally.result() };
  if (request.kind === 'open') return { kind: 'opened', refused: await open(request.protocol, request.urls) };
  lost = 0;
  tally.reset();
  return { kind: 'begun' };
}

/** Gives how many were turned away. */
async function open(protocol: Protocol, urls: readonly string[]): Promise<number> {
  const Viewer = VIEWERS[protocol];
  let refused = 0;
  for (let first = 0; first < urls.length; first += OPENED_AT_ONCE) {
    const viewers = urls.slice(first, first + OPENED_AT_ONCE).map((url) => {
      return new Viewer(new URL(url), tally.source(), () => lost++);
    });
    const began = await Promise.allSettled(viewers.map((viewer) => viewer.began));
    refused += began.filter(({ status }) => status === 'rejected').length;
  }
  return refused;
}
