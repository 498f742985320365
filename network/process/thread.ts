// The door to threads: what computes for long runs beside the event loop.

import { parentPort, Worker, workerData } from 'node:worker_threads';

/** What a thread gives back; memory named in `moved` is handed over and not copied. */
export interface Outcome<Output> {
  readonly output: Output;
  readonly moved: readonly ArrayBuffer[];
}

/** Runs a module that calls `answer` on a thread of its own. Rejects with the message of what that threw. */
export function runInThread<Output>(module: URL, input: unknown): Promise<Output> {
  const { promise, resolve, reject } = Promise.withResolvers<Output>();
  const thread = new Worker(module, { workerData: input });
  thread.once('message', resolve);
  thread.once('error', reject);
  thread.once('exit', (code) => reject(new Error(`the thread ended with code ${code}`)));
  return promise;
}

/** In the module that `runInThread` runs: does the work, and ends the thread. */
export function answer<Input, Output>(work: (input: Input) => Outcome<Output>): void {
  const { output, moved } = work(workerData as Input);
  parentPort?.postMessage(output, [...moved]);
}
