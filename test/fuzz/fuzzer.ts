// Fuzzes one target: makes inputs out of those that led to new code, and keeps what the target could not take.

import type { Dice } from '../../usher/simulator/dice.ts';
import type { Coverage } from './coverage.ts';
import { mutate, type Stock } from './mutate.ts';
import { isRefusal, type Target } from './target.ts';

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

const DEFAULT_MAX_BYTES = 4096;
/** Asking V8 what has run takes 10 ms, as long as some thousand runs. */
const BATCH = 1000;
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

  constructor(options: FuzzerOptions) {
    const { target, dice } = options;
    this.#options = options;
    this.#seeds = target.seeds();
    this.#stock = {
      pick: () => this.#at(dice.upTo(this.#seeds.length + this.#kept.length)),
      words: (target.words ?? []).map((word) => Buffer.from(word, 'latin1')),
      maxBytes: target.maxBytes ?? DEFAULT_MAX_BYTES,
    };
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

  /** Runs a batch of new inputs, and keeps those that were news. */
  async go(): Promise<void> {
    const { dice } = this.#options;
    await this.#keepNews(Array.from({ length: BATCH }, () => mutate(this.#stock.pick(), dice, this.#stock)));
  }

  #at(index: number): Uint8Array {
    return this.#seeds[index] ?? this.#kept[index - this.#seeds.length]!;
  }

  /** When any of the inputs led to new code, the halves of them run again, down to the one that did. */
  async #keepNews(inputs: readonly Uint8Array[]): Promise<void> {
    if (inputs.length === 1) return this.#keepIfNew(inputs[0]!);
    for (const input of inputs) await this.#run(input);
    if (this.#options.coverage.peek() === 0) return;
    const middle = inputs.length >> 1;
    await this.#keepNews(inputs.slice(0, middle));
    await this.#keepNews(inputs.slice(middle));
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
