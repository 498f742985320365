// A process that publishes a recording as many streams, and plays each once: `publish-many.ts <rtmp port> <usher port> <streams> <FLV file>`.

import { readFileSync } from 'node:fs';
import { systemClock as clock } from '../../../network/clock.ts';
import { publishOnce } from '../../../origin/sample/publish-once.ts';
import { readRecording } from '../../../origin/sample/recording.ts';

const [port, usherPort, streams] = process.argv.slice(2, 5).map(Number) as [number, number, number];
/** Once for all: it is large. */
const recording = readRecording(readFileSync(process.argv[5]!));
for (let stream = 0; stream < streams; stream++) {
  const name = `stream-${stream}`;
  const target = { host: '127.0.0.1', port, app: 'live', name, key: '', recording, loops: true };
  void publishOnce({ ...target, clock }, new AbortController().signal);
  void watch(name);
}
// The clock's timers keep no process alive; the channel to the parent does, and its end ends this process.
process.on('disconnect', () => process.exit());
process.on('message', () => {});

/** As a progressive viewer that throws away what comes. */
async function watch(name: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${usherPort}/live/${name}.mp4`).catch(() => undefined);
    if (answer?.ok) await answer.body!.pipeTo(new WritableStream()).catch(() => {});
    else await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
