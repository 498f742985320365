// A broadcaster for tests: ffmpeg pushing a test picture and a tone in real time, as long as it is let.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Broadcast {
  readonly size?: string;
  readonly sampleRate?: number;
  readonly profile?: 'baseline' | 'high';
  readonly videoKbps?: number;
}

export class Broadcaster implements AsyncDisposable {
  readonly #child: ChildProcess;

  /** 30 frames and one key frame a second, nothing held back. */
  constructor(url: string, options: Broadcast = {}) {
    const { size = '640x360', sampleRate = 48_000, profile = 'baseline', videoKbps = 1_200 } = options;
    const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-profile:v', profile];
    const rate = ['-b:v', `${videoKbps}k`, '-g', '30', '-pix_fmt', 'yuv420p'];
    const audio = ['-c:a', 'aac', '-b:a', '96k'];
    const picture = ['-re', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`];
    const tone = ['-re', '-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=${sampleRate}`];
    const args = ['-v', 'error', ...picture, ...tone, ...video, ...rate, ...audio, '-f', 'flv', url];
    this.#child = spawn('ffmpeg', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  }

  /** Resolves when ffmpeg has ended by itself, or was ended. */
  get ended(): Promise<unknown> {
    return this.#child.exitCode === null && this.#child.signalCode === null
      ? once(this.#child, 'exit')
      : Promise.resolve();
  }

  /** Goes away without a word, as when a laptop is closed or a network breaks. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }
}
