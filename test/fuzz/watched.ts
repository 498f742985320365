// Fuzzes a target on a thread and watches it: an input that takes seconds, or all memory, is a finding like one that throws.

import { Worker } from 'node:worker_threads';

export interface FuzzJob {
  readonly target: string;
  readonly seconds: number;
  /** Ends it earlier: the same seed then comes to the same. */
  readonly inputs: number;
  readonly seed: number;
  /** Number of the input at hand (4 bytes), its length (4 bytes), and the input. */
  readonly board: SharedArrayBuffer;
}

export interface FuzzOutcome {
  readonly runs: number;
  readonly seconds: number;
  readonly kept: readonly Uint8Array[];
  readonly grownBytes: number;
  readonly findings: readonly { readonly input: Uint8Array; readonly what: string }[];
}

const BOARD_BYTES = 64 * 1024;
const HANG_MS = 10_000;
const MAX_HEAP_MB = 512;

export interface FuzzAsked {
  readonly target: string;
  readonly seconds: number;
  readonly inputs?: number;
  readonly seed: number;
  readonly hangMs?: number;
}

export function fuzzWatched({
  target,
  seconds,
  seed,
  inputs = Number.POSITIVE_INFINITY,
  hangMs = HANG_MS,
}: FuzzAsked): Promise<FuzzOutcome> {
  const board = new SharedArrayBuffer(BOARD_BYTES);
  const workerData: FuzzJob = { target, seconds, inputs, seed, board };
  const thread = new Worker(new URL('fuzz-thread.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  const { promise, resolve } = Promise.withResolvers<FuzzOutcome>();
  const failed = (what: string): void => resolve(failure(board, what));
  const watch = setInterval(
    watcher(board, () => failed(`no end within ${hangMs} ms`)),
    hangMs,
  );
  thread.once('message', resolve);
  thread.once('error', (error: Error) => failed(error.stack ?? error.message));
  thread.once('exit', () => failed('the thread ended'));
  return promise.finally(() => {
    clearInterval(watch);
    return thread.terminate();
  });
}

/** Called every now and then; tells when the input has been the same one the last time. Before the first, modules load. */
function watcher(board: SharedArrayBuffer, onHang: () => void): () => void {
  const count = new Int32Array(board, 0, 1);
  let before = 0;
  return () => {
    if (count[0] === before && before > 0) onHang();
    before = count[0]!;
  };
}

function failure(board: SharedArrayBuffer, what: string): FuzzOutcome {
  const [runs, length] = new Int32Array(board, 0, 2);
  const input = new Uint8Array(board, 8, length).slice();
  return { runs: runs!, seconds: 0, kept: [], grownBytes: 0, findings: [{ input, what }] };
}
