// The page of one recording. Of what is still live, the whole of it so far, up to the live edge.

import { browserClock } from '../clock.ts';
import { playRecording } from '../playback/replay.ts';
import { listRecordings } from '../usher.ts';
import { runClipForm } from './clip-form.ts';
import { part } from './dom.ts';
import { keepRecordings, whenText } from './recordings.ts';
import { listenToReplayKeys } from './replay/keys.ts';
import { runSeekBar } from './replay/seek-bar.ts';
import { lengthText } from './words.ts';

const recording = document.body.dataset.recording!;
const stream = recording.slice(0, recording.lastIndexOf('.'));
const token = new URLSearchParams(location.search).get('token');
const query = token === null ? '' : `?token=${encodeURIComponent(token)}`;
const note = part(document, 'note');

part<HTMLAnchorElement>(document, 'stream-link').href = `/watch/${stream}${query}`;
keepRecordings(stream, browserClock, { current: recording });
const video = document.createElement('video');
video.controls = true;
video.playsInline = true;
part(document, 'replay').append(video);
listenToReplayKeys(video);
void playRecording(video, `/vod/${recording}.m3u8${query}`, (reason) => {
  note.textContent = reason;
});
runSeekBar(part(document, 'seek'), {
  video,
  previewsUrl: `/vod/${recording}.vtt${query}`,
  clock: browserClock,
});
runClipForm(document, { stream, recording: async () => recording, video });
void describe();

async function describe(): Promise<void> {
  const all = await listRecordings(location.origin, stream).catch(() => []);
  const found = all.find(({ id }) => id === recording);
  if (!found) return;
  part(document, 'title').textContent = found.title || stream;
  note.textContent = `${whenText(found.startedAt)} · ${lengthText(found.durationMs)}`;
}
