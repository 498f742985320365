// The sample broadcast: pushes a recording in a loop, in real time and over real RTMP, like any broadcaster.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Timer } from '../../network/clock.ts';
import { reasonOf } from '../../network/errors.ts';
import type { Logger } from '../../network/logger.ts';
import { createRtmpPublisher, type RtmpPublisher } from '../rtmp/rtmp.ts';
import { type Recording, readRecording } from './recording.ts';

export interface SampleBroadcastOptions {
  /** A name or an IPv4 address. */
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly key?: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** An FLV file; the sample that comes with the code if there is none. */
  readonly file?: string;
}

export interface SampleBroadcast {
  /** Resolves when no socket and no timer is left. */
  stop(): Promise<void>;
}

export function startSampleBroadcast(options: SampleBroadcastOptions): SampleBroadcast {
  const stopping = new AbortController();
  const stopped = run(options, stopping.signal).catch((error: unknown) => {
    options.logger.error({ err: error, file: options.file }, 'no sample broadcast');
  });
  return {
    stop() {
      stopping.abort();
      return stopped;
    },
  };
}

const SAMPLE = join(import.meta.dirname, 'broadcast.flv');
const APP = 'live';
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;
/** A publication that lasted this long was a good one: the next wait is a short one again. */
const SETTLED_MS = 10_000;
const CONNECT_MS = 10_000;
/** At a megabit per second, a server that left this much unread has not read for eight seconds. */
const QUEUED_BYTES = 1024 * 1024;
/** Behind by more (the machine slept), the broadcast goes on from where it is instead of catching up. */
const LATE_MS = 1_000;

async function run(options: SampleBroadcastOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger, name } = options;
  const recording = readRecording(await readFile(options.file ?? SAMPLE));
  let waitMs = FIRST_WAIT_MS;
  while (!signal.aborted) {
    const startedMs = clock.monotonic();
    const reason = await publishOnce(options, recording, signal);
    if (signal.aborted) return;
    if (clock.monotonic() - startedMs >= SETTLED_MS) waitMs = FIRST_WAIT_MS;
    logger.warn({ stream: name, reason, retryInMs: waitMs }, 'sample broadcast interrupted');
    await wait(clock, waitMs, signal);
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }
}

/** One connection, from its beginning to its end. Resolves with the reason of the end. */
async function publishOnce(
  options: SampleBroadcastOptions,
  recording: Recording,
  signal: AbortSignal,
): Promise<string> {
  const { host, port, name, key, clock } = options;
  const publisher = createRtmpPublisher({ host, port, app: APP, name: withKey(name, key) });
  const stop = (): void => publisher.close('stopped');
  signal.addEventListener('abort', stop);
  const tooLong = clock.after(CONNECT_MS, () => publisher.close(`no answer within ${CONNECT_MS} ms`));
  try {
    await publisher.open();
    tooLong.cancel();
    const playback = new Playback(recording, publisher, clock);
    return await publisher.closed.finally(() => playback.stop());
  } catch (error) {
    await publisher.closed;
    return reasonOf(error);
  } finally {
    tooLong.cancel();
    signal.removeEventListener('abort', stop);
  }
}

function withKey(name: string, key: string | undefined): string {
  return key === undefined ? name : `${name}?${new URLSearchParams({ key })}`;
}

/** Resolves after a time, or at once when stopped. */
function wait(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.after(delayMs, resolve);
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise.finally(() => timer.cancel());
}

/** Sends each frame when it is due, round and round. */
class Playback {
  readonly #recording: Recording;
  readonly #publisher: RtmpPublisher;
  readonly #clock: Clock;
  #startedMs: number;
  #loop = 0;
  #index = 0;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(recording: Recording, publisher: RtmpPublisher, clock: Clock) {
    this.#recording = recording;
    this.#publisher = publisher;
    this.#clock = clock;
    this.#startedMs = clock.monotonic();
    this.#try(() => {
      for (const header of recording.headers) publisher.send(header);
    });
    this.#step();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #step(): void {
    this.#try(() => this.#sendDue());
    if (this.#publisher.queuedBytes > QUEUED_BYTES) this.#fail('the server does not read');
    if (this.#stopped) return;
    const waitMs = this.#startedMs + this.#timestampMs() - this.#clock.monotonic();
    this.#timer = this.#clock.after(Math.max(0, waitMs), () => this.#step());
  }

  #sendDue(): void {
    const nowMs = this.#clock.monotonic();
    const lateMs = nowMs - this.#startedMs - this.#timestampMs();
    if (lateMs > LATE_MS) this.#startedMs += lateMs;
    while (this.#startedMs + this.#timestampMs() <= nowMs) {
      const frame = this.#recording.frames[this.#index]!;
      this.#publisher.send({ ...frame, timestampMs: this.#timestampMs() });
      this.#advance();
    }
  }

  /** Of the next frame: it goes on from loop to loop. */
  #timestampMs(): number {
    return this.#loop * this.#recording.durationMs + this.#recording.frames[this.#index]!.timestampMs;
  }

  #advance(): void {
    this.#index += 1;
    if (this.#index < this.#recording.frames.length) return;
    this.#index = 0;
    this.#loop += 1;
  }

  #try(send: () => void): void {
    try {
      send();
    } catch (error) {
      this.#fail(reasonOf(error));
    }
  }

  #fail(reason: string): void {
    this.stop();
    this.#publisher.close(reason);
  }
}
