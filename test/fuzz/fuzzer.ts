// Fuzzes one target: makes inputs out of those that led to new code, and keeps what the target could not take.

import type { Dice } from '../../usher/simulator/dice.ts';
import type { Coverage } from './coverage.ts';
import { mutate, type Stock } from './mutate.ts';
import { isRefusal, stockOf, type Target } from './target.ts';

export interface Finding {
  readonly input: Uint8Array;
  readonly error: unknown;
}

export interface FuzzerOptions {
  readonly target: Target;
  /** Inputs of earlier runs, beside the target's seeds. */
  readonly corpus: readonly Uint8Array[];
  readonly dice: Dice;
  readonly coverage: Coverage;
  /** Called before each run, so that whoever watches from outside knows what it hangs on. */
  readonly onInput?: (input: Uint8Array) => void;
}

/** Asking V8 what has run takes some milliseconds: as long as a hundred runs, and where there is no news a thousand may share it. */
const BATCH = { least: 64, most: 1024 } as const;
/** So often a seed is changed, and no input that came of one: most of those are damaged at their beginning. */
const SEEDS_ONE_IN = 4;
/** Beyond these nothing is kept: no target has as much code. */
const MAX_CORPUS = 2000;
const MAX_FINDINGS = 50;

export class Fuzzer {
  readonly #options: FuzzerOptions;
  readonly #stock: Stock;
  readonly #seeds: readonly Uint8Array[];
  readonly #kept: Uint8Array[] = [];
  /** One for each place where it was thrown. */
  readonly #findings = new Map<string, Finding>();
  #runs = 0;
  #batch: number = BATCH.least;

  constructor(options: FuzzerOptions) {
    const { target, dice } = options;
    this.#options = options;
    this.#seeds = target.seeds();
    this.#stock = stockOf(target, () =>
      dice.upTo(SEEDS_ONE_IN) === 0 ? dice.pick(this.#seeds) : this.#pickKept(),
    );
  }

  get runs(): number {
    return this.#runs;
  }

  get findings(): readonly Finding[] {
    return [...this.#findings.values()];
  }

  /** Inputs that led to code which none before them had reached, the target's own left out. */
  get kept(): readonly Uint8Array[] {
    return this.#kept;
  }

  /** Runs the seeds, then the corpus, of which is kept what adds something. */
  async begin(): Promise<void> {
    for (const seed of this.#seeds) await this.#run(seed);
    this.#options.coverage.take();
    for (const input of this.#options.corpus) await this.#keepIfNew(input);
  }

  /** Runs a batch of new inputs, and keeps those that were news. The more news, the shorter batches are: to find it they run again. */
  async go(): Promise<void> {
    const { dice } = this.#options;
    const inputs = Array.from({ length: this.#batch }, () => mutate(this.#stock.pick(), dice, this.#stock));
    const isNews = await this.#areNews(inputs);
    if (isNews) await this.#keepNewsOf(inputs);
    this.#batch = isNews ? Math.max(BATCH.least, this.#batch / 2) : Math.min(BATCH.most, this.#batch * 2);
  }

  /** The newer, the likelier: what has just been reached has the least behind it. */
  #pickKept(): Uint8Array {
    const { dice } = this.#options;
    const back = Math.floor(this.#kept.length * dice.next() ** 2);
    return this.#kept.at(-1 - back) ?? dice.pick(this.#seeds);
  }

  /** Some of the inputs led to new code: their halves run again, down to the one that did. */
  async #keepNewsOf(inputs: readonly Uint8Array[]): Promise<void> {
    if (inputs.length === 1) return this.#keepIfNew(inputs[0]!);
    const middle = inputs.length >> 1;
    const [first, second] = [inputs.slice(0, middle), inputs.slice(middle)];
    const isInFirst = await this.#areNews(first);
    if (isInFirst) await this.#keepNewsOf(first);
    // What was not in the one half is in the other.
    if (!isInFirst || (await this.#areNews(second))) await this.#keepNewsOf(second);
  }

  async #areNews(inputs: readonly Uint8Array[]): Promise<boolean> {
    for (const input of inputs) await this.#run(input);
    return this.#options.coverage.peek() > 0;
  }

  async #keepIfNew(input: Uint8Array): Promise<void> {
    await this.#run(input);
    if (this.#options.coverage.take() > 0 && this.#kept.length < MAX_CORPUS) this.#kept.push(input);
  }

  async #run(input: Uint8Array): Promise<void> {
    this.#options.onInput?.(input);
    this.#runs++;
    try {
      // Most targets need no turn of the event loop, which costs more than they do.
      const running = this.#options.target.run(input);
      if (running) await running;
    } catch (error) {
      if (!isRefusal(error)) this.#find({ input, error });
    }
  }

  #find(finding: Finding): void {
    const place = placeOf(finding.error);
    if (this.#findings.size < MAX_FINDINGS && !this.#findings.has(place)) this.#findings.set(place, finding);
  }
}

function placeOf(error: unknown): string {
  return error instanceof Error
    ? (error.stack?.split('\n').find((line) => line.includes(' at ')) ?? '')
    : 'thrown';
}
