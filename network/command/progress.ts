// The door to cli-progress: a bar for work that takes a while.

import { Presets, SingleBar } from 'cli-progress';

export interface Progress {
  /** `words` stand behind the bar. */
  update(done: number, words: string): void;
  stop(): void;
}

/** Nothing is drawn where the stream is no terminal. */
export function openProgress(stream: NodeJS.WritableStream, total: number): Progress {
  const format = '{bar} {percentage} %  {words}';
  const bar = new SingleBar(
    { stream, format, clearOnComplete: true, hideCursor: true },
    Presets.shades_classic,
  );
  bar.start(total, 0, { words: '' });
  return { update: (done, words) => bar.update(done, { words }), stop: () => bar.stop() };
}
