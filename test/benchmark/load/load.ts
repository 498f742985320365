// A process of viewers, told over its channel to its parent what to watch and when to begin and end counting.

import { systemClock } from '../../../network/clock.ts';
import { HlsViewer } from './load-hls.ts';
import { EndlessViewer } from './load-progressive.ts';
import { Tally, type TallyResult } from './tally.ts';

export type LoadRequest =
  /** Opens a viewer for each address, and answers when all of them have received something. */
  | { readonly kind: 'open'; readonly protocol: 'endless' | 'hls'; readonly urls: readonly string[] }
  /** Forgets what was counted. */
  | { readonly kind: 'begin' }
  | { readonly kind: 'end' };

export type LoadAnswer = { readonly kind: 'opened' } | { readonly kind: 'begun' } | LoadResult;
export type LoadResult = TallyResult & { readonly kind: 'result'; readonly lost: number };

/** New connections are spread over time, as a listen queue is short. */
const OPENED_AT_ONCE = 25;

const tally = new Tally(systemClock);
let lost = 0;

process.on('disconnect', () => process.exit());
process.on('message', async (request: LoadRequest) => {
  process.send!(await answer(request));
});

async function answer(request: LoadRequest): Promise<LoadAnswer> {
  if (request.kind === 'end') return { kind: 'result', lost, ...tally.result() };
  if (request.kind === 'open') {
    await open(request.protocol, request.urls);
    return { kind: 'opened' };
  }
  tally.reset();
  return { kind: 'begun' };
}

async function open(protocol: 'endless' | 'hls', urls: readonly string[]): Promise<void> {
  const Viewer = protocol === 'hls' ? HlsViewer : EndlessViewer;
  for (let first = 0; first < urls.length; first += OPENED_AT_ONCE) {
    const viewers = urls.slice(first, first + OPENED_AT_ONCE).map((url) => {
      return new Viewer(new URL(url), tally.source(), () => lost++);
    });
    await Promise.all(viewers.map((viewer) => viewer.began));
  }
}
