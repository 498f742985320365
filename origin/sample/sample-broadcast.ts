// The sample broadcast: pushes a recording in a loop, in real time and over real RTMP, like any broadcaster.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../network/clock.ts';
import type { Logger } from '../../network/logger.ts';
import { publishOnce } from './publish-once.ts';
import { readRecording } from './recording.ts';

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

async function run(options: SampleBroadcastOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger, name } = options;
  const recording = readRecording(await readFile(options.file ?? SAMPLE));
  let waitMs = FIRST_WAIT_MS;
  while (!signal.aborted) {
    const startedMs = clock.monotonic();
    const reason = await publishOnce({ ...options, app: APP, recording, loops: true }, signal);
    if (signal.aborted) return;
    if (clock.monotonic() - startedMs >= SETTLED_MS) waitMs = FIRST_WAIT_MS;
    logger.warn({ stream: name, reason, retryInMs: waitMs }, 'sample broadcast interrupted');
    await wait(clock, waitMs, signal);
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }
}

/** Resolves after a time, or at once when stopped. */
function wait(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.after(delayMs, resolve);
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise.finally(() => timer.cancel());
}
