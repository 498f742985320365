// Which code of the project has run, byte by byte of its text, as V8 counts it. The door to the inspector.

import { Session } from 'node:inspector';

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface Script {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

/** What fuzzes is not fuzzed, its dice neither; the libraries that parse for us are. */
const TESTS = new URL('../', import.meta.url).href;
const DICE = new URL('../../usher/simulator/', import.meta.url).href;
const PLANTED = new URL('targets/planted.ts', import.meta.url).href;

/** Of this thread. One at a time. */
export class Coverage implements Disposable {
  readonly #session = new Session();
  /** By script, a byte for each of its characters: 1 where it has run. */
  readonly #covered = new Map<string, Uint8Array>();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** How much code has run since the last call that had not run before, in characters; it counts as known from now on. */
  take(): number {
    return this.#gain((covered, at) => {
      covered[at] = 1;
    });
  }

  /** The same, and what is new stays new. */
  peek(): number {
    return this.#gain(() => {});
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }

  #gain(visit: Visit): number {
    let gained = 0;
    for (const { url, functions } of this.#scripts()) {
      const covered = this.#coveredOf(url, functions);
      for (const { ranges } of functions) gained += newIn(covered, ranges, visit);
    }
    return gained;
  }

  #scripts(): readonly Script[] {
    let scripts: readonly Script[] = [];
    // On one's own thread the answer comes before `post` returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error) throw error;
      scripts = result;
    });
    return scripts.filter(({ url }) => url === PLANTED || isFuzzed(url));
  }

  /** A script's outermost function is told with the first call, and reaches to its end. */
  #coveredOf(url: string, functions: Script['functions']): Uint8Array {
    const known = this.#covered.get(url);
    const length = Math.max(...functions.map(({ ranges }) => ranges[0]!.endOffset));
    if (known && known.length >= length) return known;
    const covered = new Uint8Array(length);
    covered.set(known ?? []);
    this.#covered.set(url, covered);
    return covered;
  }
}

function isFuzzed(url: string): boolean {
  return url.startsWith('file:') && !url.startsWith(TESTS) && !url.startsWith(DICE);
}

type Visit = (covered: Uint8Array, at: number) => void;

/** The first range is the function's; the others are blocks in it, each after the one that it is in, that ran another number of times. */
function newIn(covered: Uint8Array, ranges: readonly Range[], visit: Visit): number {
  let gained = 0;
  const [whole, ...blocks] = ranges;
  if (whole!.count === 0) return 0;
  const holes = blocks.filter(({ count }) => count === 0);
  let at = whole!.startOffset;
  for (const hole of [...holes, { startOffset: whole!.endOffset, endOffset: whole!.endOffset }]) {
    for (; at < hole.startOffset; at++) {
      if (covered[at] === 1) continue;
      gained++;
      visit(covered, at);
    }
    at = Math.max(at, hole.endOffset);
  }
  return gained;
}
