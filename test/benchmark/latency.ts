// From the bytes of a frame going into the broadcaster's socket to the same frame coming out of a progressive viewer's.

import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { systemClock as clock } from '../../network/clock.ts';
import type { RtmpMessage } from '../../origin/media.ts';
import { createRtmpPublisher, type RtmpPublisher } from '../../origin/rtmp/rtmp.ts';
import { readRecording } from '../../origin/sample/recording.ts';
import { publishKey, STREAM } from './peers/contender.ts';
import { startHeadwater } from './peers/headwater.ts';
import { recordingFile } from './recording.ts';
import { percentile, type Report, table } from './report.ts';
import type { BenchmarkOptions } from './run.ts';

/** A frame is found again by its last bytes, which are noise. */
const FINGERPRINT_BYTES = 12;
/** The first seconds are those of compilation. */
const WARM_UP_S = 3;

export async function benchmarkLatency({ seconds }: BenchmarkOptions): Promise<Report> {
  await using headwater = await startHeadwater({ protocol: 'endless', publishes: false });
  const { rtmpPort, urls } = headwater;
  const name = `${STREAM}?${new URLSearchParams({ key: publishKey() })}`;
  const publisher = createRtmpPublisher({ host: '127.0.0.1', port: rtmpPort, app: 'live', name });
  await publisher.open();
  const sentMs = new Map<string, number>();
  const broadcast = setUpBroadcast(publisher, sentMs);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const delaysMs = await watch(urls(1)[0]!, sentMs, (WARM_UP_S + seconds) * 1000);
  clearInterval(broadcast);
  publisher.close('the benchmark is over');
  await publisher.closed;
  const counted = delaysMs.slice(Math.floor((delaysMs.length * WARM_UP_S) / (WARM_UP_S + seconds)));
  const result = {
    frames: counted.length,
    p50Ms: percentile(counted, 0.5),
    p99Ms: percentile(counted, 0.99),
    maxMs: Math.max(...counted),
  };
  const row = [
    String(result.frames),
    ...[result.p50Ms, result.p99Ms, result.maxMs].map((ms) => ms.toFixed(2)),
  ];
  const text = `RTMP in to HTTP out on loopback, one viewer\n\n${table(['frames', 'p50 ms', 'p99 ms', 'max ms'], [row])}`;
  return { data: result, text };
}

/** Sends each frame when it is due, and notes when. */
function setUpBroadcast(publisher: RtmpPublisher, sentMs: Map<string, number>): NodeJS.Timeout {
  const { headers, frames, durationMs } = readRecording(readFileSync(recordingFile()));
  for (const header of headers) publisher.send(header);
  const startedMs = clock.monotonic();
  let sent = 0;
  const dueMs = (frame: RtmpMessage): number =>
    Math.floor(sent / frames.length) * durationMs + frame.timestampMs;
  return setInterval(() => {
    for (;;) {
      const frame = frames[sent % frames.length]!;
      const timestampMs = dueMs(frame);
      if (startedMs + timestampMs > clock.monotonic()) return;
      sentMs.set(fingerprint(frame.payload), clock.monotonic());
      publisher.send({ ...frame, timestampMs });
      sent++;
    }
  }, 1);
}

/** Resolves with the delay of each frame that came out and was found again. */
function watch(url: string, sentMs: Map<string, number>, durationMs: number): Promise<number[]> {
  const { promise, resolve, reject } = Promise.withResolvers<number[]>();
  const delaysMs: number[] = [];
  let pending = Buffer.alloc(0);
  const request = get(url, (response) => {
    if (response.statusCode !== 200) reject(new Error(`${response.statusCode} for ${url}`));
    response.on('error', () => {});
    response.on('data', (bytes: Buffer) => {
      const nowMs = clock.monotonic();
      pending = Buffer.concat([pending, bytes]);
      for (let size = wholeBox(pending); size > 0; size = wholeBox(pending)) {
        const noted = isMdat(pending) ? sentMs.get(fingerprint(pending.subarray(0, size))) : undefined;
        if (noted !== undefined) delaysMs.push(nowMs - noted);
        pending = pending.subarray(size);
      }
    });
  });
  request.on('error', reject);
  setTimeout(() => {
    request.off('error', reject).on('error', () => {});
    request.destroy();
    resolve(delaysMs);
  }, durationMs);
  return promise;
}

function wholeBox(bytes: Buffer): number {
  if (bytes.length < 8) return 0;
  const size = bytes.readUInt32BE(0);
  return size <= bytes.length ? size : 0;
}

function isMdat(bytes: Buffer): boolean {
  return bytes.toString('latin1', 4, 8) === 'mdat';
}

function fingerprint(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(-FINGERPRINT_BYTES)).toString('latin1');
}
