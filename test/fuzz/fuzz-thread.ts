// One target fuzzed on a thread of its own, so that whoever started it can end one that hangs.

import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { Dice } from '../../usher/simulator/dice.ts';
import { readCorpus } from './corpus.ts';
import { Coverage } from './coverage.ts';
import { Fuzzer } from './fuzzer.ts';
import { targetNamed } from './targets.ts';
import { BOARD, type FuzzJob, type FuzzOutcome } from './watched.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const { target: name, seconds, inputs, seed, board } = workerData as FuzzJob;
const [head, bytes] = [new Int32Array(board), new Uint8Array(board, BOARD.bytes)];

using coverage = new Coverage();
const fuzzer = new Fuzzer({
  target: targetNamed(name),
  corpus: readCorpus(name).map(({ input }) => input),
  dice: new Dice(seed, name),
  coverage,
  onInput(input) {
    bytes.set(input);
    head[BOARD.length] = input.length;
    head[BOARD.count]! += 1;
  },
});
await fuzzer.begin();
const startSeconds = cpuSeconds();
const elapsed = (): number => cpuSeconds() - startSeconds;
const isAskedToEnd = (): boolean => Atomics.load(head, BOARD.end) === 1;
let heapBefore = 0;
while (elapsed() < seconds && fuzzer.runs < inputs && !isAskedToEnd()) {
  await fuzzer.go();
  // What a parser keeps after the first quarter it keeps for ever; before that libraries and caches warm up.
  if (heapBefore === 0 && elapsed() > seconds / 4) heapBefore = await heapBytes();
}
const outcome: FuzzOutcome = {
  runs: fuzzer.runs,
  seconds: elapsed(),
  kept: fuzzer.kept,
  grownBytes: heapBefore === 0 ? 0 : (await heapBytes()) - heapBefore,
  findings: fuzzer.findings.map(({ input, error }) => ({
    input,
    what: error instanceof Error ? (error.stack ?? error.message) : String(error),
  })),
};
parentPort!.postMessage(outcome);

/** What this thread has had of the processor. */
function cpuSeconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e6;
}

/** Some of what is garbage is given back only when the thread has had nothing to do for a moment. */
async function heapBytes(): Promise<number> {
  await sleep(20);
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
