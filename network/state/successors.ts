// Where the viewers of a server go that is being emptied: what the plan says, as soon as it is true that the stream is there.

import { reasonOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { ClusterState, Successor } from './state.ts';

export interface SuccessorsOptions {
  readonly state: Pick<ClusterState, 'find'>;
  readonly logger: Logger;
}

export class Successors {
  readonly #options: SuccessorsOptions;
  #planned: Readonly<Record<string, Successor>> = {};
  /** By stream; bounded by the plan. */
  readonly #ready = new Map<string, Successor>();
  readonly #asked = new Set<string>();

  constructor(options: SuccessorsOptions) {
    this.#options = options;
  }

  /** Undefined as long as there is nobody who has the stream. */
  of(stream: string): Successor | undefined {
    return this.#ready.get(stream);
  }

  /** To be told again and again: what is not ready is looked at each time. The last successor stays until the next is ready. */
  plan(planned: Readonly<Record<string, Successor>>): void {
    this.#planned = planned;
    for (const stream of this.#ready.keys()) if (!Object.hasOwn(planned, stream)) this.#ready.delete(stream);
    for (const [stream, successor] of Object.entries(planned))
      if (!isSame(this.#ready.get(stream), successor)) this.#look(stream, successor);
  }

  #look(stream: string, successor: Successor): void {
    if (this.#asked.has(stream)) return;
    this.#asked.add(stream);
    this.#has(stream, successor)
      .then((isThere) => {
        if (isThere && isSame(this.#planned[stream], successor)) this.#ready.set(stream, successor);
      })
      .catch((error: unknown) =>
        this.#options.logger.warn({ stream, reason: reasonOf(error) }, 'a successor can not be looked up'),
      )
      .finally(() => this.#asked.delete(stream));
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
