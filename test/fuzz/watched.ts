// Fuzzes a target on a thread and watches it: an input that takes seconds, or all memory, is a finding like one that throws.

import { Worker } from 'node:worker_threads';

export interface FuzzJob {
  readonly target: string;
  /** Of the processor: other work on the machine does not shorten it. */
  readonly seconds: number;
  /** Ends it earlier: the same seed then comes to the same. */
  readonly inputs: number;
  readonly seed: number;
  /** Number of the input at hand, its length, whether to end (4 bytes each), and the input. */
  readonly board: SharedArrayBuffer;
}

/** The beginning of the board, before the input. */
export const BOARD = { count: 0, length: 1, end: 2, bytes: 12 } as const;

export interface FuzzOutcome {
  readonly runs: number;
  readonly seconds: number;
  readonly kept: readonly Uint8Array[];
  readonly grownBytes: number;
  readonly findings: readonly { readonly input: Uint8Array; readonly what: string }[];
}

const BOARD_BYTES = 64 * 1024;
const HANG_MS = 10_000;
/** An input has so many looks at it, four for each `hangMs`, however little of the processor the fuzzer gets. */
const MAX_LOOKS = 100;
const MAX_HEAP_MB = 512;

export interface FuzzAsked {
  readonly target: string;
  readonly seconds: number;
  readonly inputs?: number;
  readonly seed: number;
  readonly hangMs?: number;
  /** Ends it earlier; what was done by then counts. */
  readonly signal?: AbortSignal;
}

export function fuzzWatched({
  target,
  seconds,
  seed,
  inputs = Number.POSITIVE_INFINITY,
  hangMs = HANG_MS,
  signal,
}: FuzzAsked): Promise<FuzzOutcome> {
  const board = new SharedArrayBuffer(BOARD_BYTES);
  const workerData: FuzzJob = { target, seconds, inputs, seed, board };
  const thread = new Worker(new URL('fuzz-thread.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  const { promise, resolve } = Promise.withResolvers<FuzzOutcome>();
  const failed = (what: string): void => resolve(failure(board, what));
  const end = (): void => void Atomics.store(new Int32Array(board), BOARD.end, 1);
  if (signal?.aborted) end();
  signal?.addEventListener('abort', end);
  const isHung = hangDetector(board, thread, hangMs);
  const watch = setInterval(async () => {
    // A thread that has ended says nothing more, and that it has is heard.
    if (await isHung().catch(() => false)) failed(`no end within ${hangMs} ms`);
  }, hangMs / 4);
  thread.once('message', resolve);
  thread.once('error', (error: Error) => failed(error.stack ?? error.message));
  thread.once('exit', () => failed('the thread ended'));
  return promise.finally(() => {
    clearInterval(watch);
    signal?.removeEventListener('abort', end);
    return thread.terminate();
  });
}

/** Called every now and then; tells when the same input has had so much of the processor, or waits for what does not come. */
function hangDetector(board: SharedArrayBuffer, thread: Worker, hangMs: number): () => Promise<boolean> {
  const head = new Int32Array(board);
  let seen = { input: 0, atMs: 0, looks: 0 };
  return async () => {
    const { user, system } = await thread.cpuUsage();
    const input = head[BOARD.count]!;
    const atMs = (user + system) / 1000;
    // Before the first input, modules load.
    if (input !== seen.input || input === 0) seen = { input, atMs, looks: 0 };
    seen.looks++;
    return atMs - seen.atMs >= hangMs || seen.looks > MAX_LOOKS;
  };
}

function failure(board: SharedArrayBuffer, what: string): FuzzOutcome {
  const [runs, length] = new Int32Array(board, 0, 2);
  const input = new Uint8Array(board, BOARD.bytes, length).slice();
  return { runs: runs!, seconds: 0, kept: [], grownBytes: 0, findings: [{ input, what }] };
}
