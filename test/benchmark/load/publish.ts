// A process that publishes the recording in a loop: `publish.ts rtmp|raw <port> <file> <key>`. Raw is the bare FLV bytes over TCP.

import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { systemClock as clock } from '../../../network/clock.ts';
import { createLogger } from '../../../network/logger.ts';
import { readRecording } from '../../../origin/sample/recording.ts';
import { startSampleBroadcast } from '../../../origin/sample/sample-broadcast.ts';

const [protocol, port, file, key] = process.argv.slice(2);
if (protocol === 'rtmp') {
  const logger = createLogger('warn');
  const target = { host: '127.0.0.1', port: Number(port), name: 'benchmark', key: key! };
  startSampleBroadcast({ ...target, file: file!, clock, logger });
} else {
  publishRaw(Number(port), file!);
}
// The clock's timers keep no process alive; the channel to the parent does, and its end ends this process.
process.on('disconnect', () => process.exit());
process.on('message', () => {});

function publishRaw(toPort: number, fromFile: string): void {
  const { frames, durationMs } = readRecording(readFileSync(fromFile));
  const socket = connect(toPort, '127.0.0.1');
  const startedMs = clock.monotonic();
  let sent = 0;
  setInterval(() => {
    for (;;) {
      const frame = frames[sent % frames.length]!;
      const dueMs = startedMs + Math.floor(sent / frames.length) * durationMs + frame.timestampMs;
      if (dueMs > clock.monotonic()) return;
      socket.write(frame.payload);
      sent++;
    }
  }, 1);
}
