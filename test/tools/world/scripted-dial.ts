// A dial whose parents say what a test has them say, and when: no sockets, no time of its own.

import type { AnswerEvents, Dial } from '../../../network/http/dial.ts';
import type { Parent } from '../../../network/state/state.ts';

export class ScriptedDial {
  /** Ids of the parents that were asked, oldest first. */
  readonly asked: string[] = [];
  readonly #answers = new Map<string, AnswerEvents>();

  readonly dial: Dial = (url, _, events) => {
    const id = new URL(url).hostname;
    this.asked.push(id);
    this.#answers.set(id, events);
    return { abort: () => void (this.#answers.get(id) === events && this.#answers.delete(id)) };
  };

  parent(id: string): Parent {
    return { id, relayUrl: `http://${id}` };
  }

  /** Whom the follower has a connection to. */
  get open(): string[] {
    return [...this.#answers.keys()];
  }

  say(id: string, ...pieces: readonly Uint8Array[]): void {
    for (const bytes of pieces) this.#answers.get(id)?.onBytes(bytes);
  }
}
