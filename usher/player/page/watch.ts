// The page of one stream.

import { browserClock } from '../clock.ts';
import { listRecordings } from '../usher.ts';
import { runClipForm } from './clip-form.ts';
import { part } from './dom.ts';
import { openPlayer } from './open-player.ts';
import { runPanel } from './panel.ts';
import { isGrowing, keepRecordings } from './recordings.ts';

const root = part(document, 'player');
const stream = document.body.dataset.stream!;
const player = openPlayer(root, stream);
runPanel({ root, player, clock: browserClock });
keepRecordings(stream, browserClock);
runClipForm(document, { stream, recording: liveRecording });

async function liveRecording(): Promise<string | undefined> {
  const all = await listRecordings(location.origin, stream);
  return all.find((each) => isGrowing(each, browserClock.now()))?.id;
}
