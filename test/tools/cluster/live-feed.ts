// Listens to the console's live feed, as a page does.

import type { LiveMessages } from '../../../usher/console/messages.ts';
import type { UsherListener } from './usher-listener.ts';

export interface LiveEvent<Name extends keyof LiveMessages = keyof LiveMessages> {
  readonly name: Name;
  readonly message: LiveMessages[Name];
  readonly id: string | undefined;
}

export class LiveFeed implements Disposable {
  readonly response: Response;
  readonly #abort: AbortController;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = '';

  private constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    this.#reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  }

  static async open(
    usher: UsherListener,
    query = '',
    headers: Readonly<Record<string, string>> = {},
  ): Promise<LiveFeed> {
    const abort = new AbortController();
    const token = usher.operators.tokenUntil(Number.MAX_SAFE_INTEGER);
    const Authorization = `Bearer ${token}`;
    const init = { headers: { Authorization, ...headers }, signal: abort.signal };
    return new LiveFeed(await usher.get(`/api/console/live${query}`, init), abort);
  }

  /** The next event; comments are none. */
  async next(): Promise<LiveEvent> {
    for (;;) {
      const [block, ...rest] = this.#text.split('\n\n');
      if (rest.length > 0) {
        this.#text = rest.join('\n\n');
        const event = read(block!);
        if (event) return event;
        continue;
      }
      const { value, done } = await this.#reader.read();
      if (done) throw new Error(`the feed ended after '${this.#text}'`);
      this.#text += value;
    }
  }

  /** The next event, which is to be of this name. */
  async take<Name extends keyof LiveMessages>(name: Name): Promise<LiveEvent<Name>> {
    const event = await this.next();
    if (event.name !== name) throw new Error(`${event.name} came and no ${name}`);
    return event as LiveEvent<Name>;
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
  }
}

function read(block: string): LiveEvent | undefined {
  const fields = new Map(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  );
  const [name, data] = [fields.get('event'), fields.get('data')];
  if (name === undefined || data === undefined) return undefined;
  return { name: name as keyof LiveMessages, message: JSON.parse(data), id: fields.get('id') };
}
