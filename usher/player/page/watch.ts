// The page of one stream.

import { browserClock } from '../clock.ts';
import type { PlayerStatus } from '../status.ts';
import { listRecordings, type RecordingInfo } from '../usher.ts';
import { runClipForm } from './clip-form.ts';
import { part, setText } from './dom.ts';
import { openPlayer } from './open-player.ts';
import { endOf, isGrowing, keepRecordings } from './recordings.ts';
import { runPanel } from './screen/panel.ts';
import { offerSharing } from './share.ts';
import { lengthText, viewersText } from './words.ts';

const ON_AIR: readonly string[] = ['playing', 'stalled', 'paused', 'blocked', 'loading'];

const root = part(document, 'player');
const stream = document.body.dataset['stream']!;
const video = part<HTMLVideoElement>(root, 'video');
let newest: RecordingInfo | undefined;
let isRecorded = false;

const player = openPlayer(root, stream);
runPanel({
  root,
  player,
  clock: browserClock,
  onStatus: describe,
  wasLiveAtMs: () => newest && endOf(newest),
});
keepRecordings(stream, browserClock, { onList: learn });
runClipForm(document, { stream, recording: liveRecording });
offerSharing(document, stream);

function describe(status: PlayerStatus): void {
  const { state, viewers, startedAtMs } = status;
  const isOnAir = viewers !== undefined && startedAtMs !== undefined && ON_AIR.includes(state);
  const facts = isOnAir
    ? `${viewersText(viewers)} · live for ${lengthText(browserClock.now() - startedAtMs)}`
    : '';
  setText(part(document, 'facts'), facts);
  part(document, 'clip').hidden = !isOnAir || !isRecorded;
  document.title = `${isOnAir ? '● ' : ''}${stream} · Headwater`;
  showPoster(status.thumbnail ?? newest?.thumbnail ?? undefined);
}

/** Until there is a picture: one of the stream's, or of its last recording. */
function showPoster(url: string | undefined): void {
  if (url !== undefined && !video.poster) video.poster = url;
}

function learn(recordings: readonly RecordingInfo[]): void {
  newest = recordings.find(({ clipOf }) => clipOf === null);
  isRecorded = newest !== undefined && isGrowing(newest, browserClock.now());
}

async function liveRecording(): Promise<string | undefined> {
  const all = await listRecordings(location.origin, stream);
  return all.find((each) => isGrowing(each, browserClock.now()))?.id;
}
