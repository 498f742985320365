// A broadcast whose frames are known by when they were sent, and viewers that note when each comes out.

import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { systemClock as clock } from '../../network/clock.ts';
import type { RtmpMessage } from '../../origin/media.ts';
import { createRtmpPublisher, type RtmpPublisher } from '../../origin/rtmp/rtmp.ts';
import { readRecording } from '../../origin/sample/recording.ts';
import { publishKey, STREAM } from './peers/contender.ts';
import { recordingFile } from './recording.ts';

/** A frame is found again by its last bytes, which are noise. */
const FINGERPRINT_BYTES = 12;

/** By fingerprint, the frame of the recording's last turn: its number, and when it was sent. */
export type SentFrames = ReadonlyMap<string, { readonly number: number; readonly sentMs: number }>;

export interface FrameTimes {
  /** Resolves with the answer to the request; rejects when it is none. */
  readonly began: Promise<void>;
  /** How long each frame took, by its number. */
  readonly delaysMs: readonly (readonly [number, number])[];
  /** Forgets what came so far. */
  begin(): void;
}

/** Publishes the recording to a server of Headwater, and notes when each frame is sent. */
export async function broadcast(opened: AsyncDisposableStack, rtmpPort: number): Promise<SentFrames> {
  const name = `${STREAM}?${new URLSearchParams({ key: publishKey() })}`;
  const sentFrames = new Map<string, { number: number; sentMs: number }>();
  let number = 0;
  await sendInTime(opened, recordingFile(), [{ port: rtmpPort, name }], ({ payload }, sentMs) => {
    sentFrames.set(fingerprint(payload), { number: number++, sentMs });
  });
  return sentFrames;
}

/** Where to publish: a stream's name, with what else the server wants to know. */
export interface Target {
  readonly port: number;
  readonly name: string;
}

/** Sends each frame of a recording when it is due, to all targets and over and over; `onSend` hears of it right before. */
export async function sendInTime(
  opened: AsyncDisposableStack,
  file: string,
  targets: readonly Target[],
  onSend: (frame: RtmpMessage, nowMs: number) => void,
): Promise<void> {
  const { headers, frames, durationMs } = readRecording(readFileSync(file));
  const publishers = await Promise.all(targets.map((target) => openPublisher(opened, target)));
  const send = (message: RtmpMessage): void => {
    for (const publisher of publishers) publisher.send(message);
  };
  for (const header of headers) send(header);
  const startedMs = clock.monotonic();
  let sent = 0;
  const timer = setInterval(() => {
    for (;;) {
      const frame = frames[sent % frames.length]!;
      const timestampMs = Math.floor(sent / frames.length) * durationMs + frame.timestampMs;
      const nowMs = clock.monotonic();
      if (startedMs + timestampMs > nowMs) return;
      onSend(frame, nowMs);
      send({ ...frame, timestampMs });
      sent++;
    }
  }, 1);
  opened.defer(() => clearInterval(timer));
}

async function openPublisher(opened: AsyncDisposableStack, target: Target): Promise<RtmpPublisher> {
  const publisher = createRtmpPublisher({ host: '127.0.0.1', app: 'live', ...target });
  await publisher.open();
  opened.defer(async () => {
    publisher.close('the benchmark is over');
    await publisher.closed;
  });
  return publisher;
}

/** Watches until what opened it ends. */
export function watchFrames(opened: AsyncDisposableStack, url: string, sent: SentFrames): FrameTimes {
  const { promise: began, resolve, reject } = Promise.withResolvers<void>();
  const delaysMs: [number, number][] = [];
  let pending = Buffer.alloc(0);
  const request = get(url, (response) => {
    if (response.statusCode === 200) resolve();
    else reject(new Error(`${response.statusCode} for ${url}`));
    response.on('error', () => {});
    response.on('data', (bytes: Buffer) => {
      const nowMs = clock.monotonic();
      pending = Buffer.concat([pending, bytes]);
      for (let size = wholeBox(pending); size > 0; size = wholeBox(pending)) {
        const frame = isMdat(pending) ? sent.get(fingerprint(pending.subarray(0, size))) : undefined;
        if (frame) delaysMs.push([frame.number, nowMs - frame.sentMs]);
        pending = pending.subarray(size);
      }
    });
  });
  request.on('error', reject);
  opened.defer(() => void request.destroy());
  return {
    began,
    delaysMs,
    begin: () => {
      delaysMs.length = 0;
    },
  };
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
