// Publishes a recording once: one connection, from its beginning to its end.

import type { Clock } from '../../network/clock.ts';
import { reasonOf } from '../../network/errors.ts';
import { createRtmpPublisher } from '../rtmp/rtmp.ts';
import { Playback } from './playback.ts';
import type { Recording } from './recording.ts';

export interface PublishOptions {
  /** A name or an IPv4 address. */
  readonly host: string;
  readonly port: number;
  readonly app: string;
  readonly name: string;
  readonly key?: string;
  readonly recording: Recording;
  /** Round and round; otherwise the connection ends with the recording, for END_OF_RECORDING. */
  readonly loops: boolean;
  readonly clock: Clock;
  /** Once a second, what of the recording is sent. */
  readonly onProgress?: (sentMs: number) => void;
}

const CONNECT_MS = 10_000;
const TELL_MS = 1_000;

/** Resolves with the reason of the end. */
export async function publishOnce(options: PublishOptions, signal: AbortSignal): Promise<string> {
  const { host, port, app, name, key, clock, onProgress } = options;
  const publisher = createRtmpPublisher({ host, port, app, name: withKey(name, key) });
  const stop = (): void => publisher.close('stopped');
  signal.addEventListener('abort', stop);
  const tooLong = clock.after(CONNECT_MS, () => publisher.close(`no answer within ${CONNECT_MS} ms`));
  try {
    await publisher.open();
    tooLong.cancel();
    const playback = new Playback({ ...options, publisher });
    const telling = onProgress && clock.every(TELL_MS, () => onProgress(playback.sentMs));
    return await publisher.closed.finally(() => {
      playback.stop();
      telling?.cancel();
    });
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
