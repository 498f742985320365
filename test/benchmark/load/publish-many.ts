// A process that publishes the sample as many streams, and plays each once: `publish-many.ts <rtmp port> <usher port> <streams>`.

import { systemClock as clock } from '../../../network/clock.ts';
import { createLogger } from '../../../network/logger.ts';
import { startSampleBroadcast } from '../../../origin/sample/sample-broadcast.ts';

const [port, usherPort, streams] = process.argv.slice(2).map(Number) as [number, number, number];
const logger = createLogger('error');
for (let stream = 0; stream < streams; stream++) {
  const name = `stream-${stream}`;
  startSampleBroadcast({ host: '127.0.0.1', port, name, key: '', clock, logger });
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
