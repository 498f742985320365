// A broadcaster for tests that sends a finished FLV file in real time and over and over: it encodes nothing.

import { systemClock as clock } from '../../../network/clock.ts';
import { startSampleBroadcast } from '../../../origin/sample/sample-broadcast.ts';
import { keepingLogger } from '../world/keeping-logger.ts';
import { lastingFile } from '../world/scratch-folder.ts';

export class FileBroadcast implements AsyncDisposable {
  readonly #stop: () => Promise<void>;

  /** The stream's name and its key are in the URL. */
  constructor(url: string, flv: Uint8Array) {
    const { hostname: host, port, pathname, searchParams } = new URL(url);
    const file = lastingFile('broadcast.flv', flv);
    const name = pathname.split('/').at(-1)!;
    const key = searchParams.get('key');
    const target = { host, port: Number(port), name, ...(key ? { key } : {}) };
    this.#stop = startSampleBroadcast({ ...target, file, clock, logger: keepingLogger() }).stop;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}
