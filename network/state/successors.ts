// Where the viewers of a server go that is being emptied: what the plan says, as soon as it is true that the stream is there.

import { reasonOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { ClusterState, Successor } from './state.ts';

export interface SuccessorsOptions {
  readonly state: Pick<ClusterState, 'find'>;
  readonly logger: Logger;
}

/** Of the successors that the plan names no more, so many are looked at each time. */
const KEPT_AT_A_TIME = 20;

export class Successors {
  readonly #options: SuccessorsOptions;
  #planned: Readonly<Record<string, Successor>> = {};
  /** By stream, those looked at last at the end; bounded by the streams that had viewers here. */
  readonly #ready = new Map<string, Successor>();
  readonly #asked = new Set<string>();

  constructor(options: SuccessorsOptions) {
    this.#options = options;
  }

  /** Undefined as long as there is nobody who has the stream. */
  of(stream: string): Successor | undefined {
    return this.#ready.get(stream);
  }

  /**
   * To be told again and again. The plan names a successor only while a stream has viewers here; those who were sent to it and
   * still ask here for their way need it longer. So the last one stays until the next is ready, or it has the stream no more.
   */
  plan(planned: Readonly<Record<string, Successor>>): void {
    this.#planned = planned;
    for (const [stream, successor] of Object.entries(planned))
      if (!isSame(this.#ready.get(stream), successor)) this.#look(stream, successor);
    const kept = [...this.#ready].filter(([stream]) => !Object.hasOwn(planned, stream));
    for (const [stream, successor] of kept.slice(0, KEPT_AT_A_TIME)) this.#look(stream, successor);
  }

  /** The server is not being emptied any more. */
  clear(): void {
    this.#planned = {};
    this.#ready.clear();
  }

  #look(stream: string, successor: Successor): void {
    if (this.#asked.has(stream)) return;
    this.#asked.add(stream);
    this.#has(stream, successor)
      .then((isThere) => this.#learn(stream, successor, isThere))
      .catch((error: unknown) =>
        this.#options.logger.warn({ stream, reason: reasonOf(error) }, 'a successor can not be looked up'),
      )
      .finally(() => this.#asked.delete(stream));
  }

  #learn(stream: string, successor: Successor, isThere: boolean): void {
    const present = this.#ready.get(stream);
    const isPlanned = isSame(this.#planned[stream], successor);
    if (!isPlanned && !isSame(present, successor)) return;
    if (isThere || isSame(present, successor)) this.#ready.delete(stream);
    if (isThere) this.#ready.set(stream, successor);
  }

  async #has(stream: string, { id }: Successor): Promise<boolean> {
    const found = await this.#options.state.find(stream);
    const holder = found?.holders.find((server) => server.id === id);
    return holder?.holdings.some((held) => held.stream === stream && held.next > 0) ?? false;
  }
}

function isSame(one: Successor | undefined, other: Successor | undefined): boolean {
  return one?.id === other?.id && one?.mediaUrl === other?.mediaUrl;
}
