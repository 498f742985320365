// The command that fuzzes: npm run fuzz -- [target ...] [--seconds 60] [--seed n] [--keep]

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { keep, replaceCorpus } from './corpus.ts';
import { addToTally } from './tally.ts';
import { TARGETS, targetNamed } from './targets.ts';
import { type FuzzOutcome, fuzzWatched } from './watched.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Of the processor, for each target. */
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    /** Puts into the corpus what led to new code, and out of it what others lead to as well; adds to the tally. */
    keep: { type: 'boolean', default: false },
  },
});
const names = positionals.length > 0 ? positionals : TARGETS.map(({ name }) => name);
const seed = Number(values.seed);
const seconds = Number(values.seconds);
/** Shorter runs end before libraries and caches have warmed up. */
const GROWTH_FROM_S = 30;
const MAX_GROWN_BYTES = 32 * 1024 * 1024;
const left = names.map((name) => targetNamed(name).name);
/** Whoever ends it keeps what was done by then; asked twice, it ends at once. */
const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());
let failures = 0;

console.log(`seed ${seed}, ${seconds} s each\n`);
console.log(row('target', ['inputs', 'per second', 'kept', 'grown', 'findings']));
await Promise.all(Array.from({ length: availableParallelism() }, fuzzNext));
process.exitCode = failures === 0 ? 0 : 1;

async function fuzzNext(): Promise<void> {
  for (let name = left.shift(); name !== undefined && !ending.signal.aborted; name = left.shift()) {
    const outcome = await fuzzWatched({ target: name, seconds, seed, signal: ending.signal });
    tell(name, outcome);
    if (!values.keep) continue;
    if (outcome.findings.length === 0) replaceCorpus(name, outcome.kept);
    addToTally(name, { inputs: outcome.runs, seconds: outcome.seconds });
  }
}

function tell(name: string, { runs, seconds: took, kept, grownBytes, findings }: FuzzOutcome): void {
  const perSecond = Math.round(runs / Math.max(took, 1));
  const grown = `${(grownBytes / 2 ** 20).toFixed(1)} MiB`;
  console.log(row(name, [runs, perSecond, kept.length, grown, findings.length].map(String)));
  for (const { input, what } of findings) {
    console.log(`\n  ${keep(name, input)}\n  ${what.replaceAll('\n', '\n  ')}\n`);
  }
  const hasGrown = seconds >= GROWTH_FROM_S && grownBytes > MAX_GROWN_BYTES;
  if (hasGrown) console.log(`  it keeps ${grownBytes} bytes`);
  if (hasGrown || findings.length > 0) failures++;
}

function row(name: string, figures: readonly string[]): string {
  return name.padEnd(16) + figures.map((figure) => figure.padStart(12)).join('');
}
