// Viewers of the benchmark of decisions: asks again and again over connections that are kept, and times each answer.

import { connect, type Socket } from 'node:net';
import { systemClock as clock } from '../../../network/clock.ts';
import { Dice, Popularity } from '../network-model.ts';

export interface LoadOrder {
  readonly port: number;
  readonly streams: number;
  /** `join`: for multivariant playlists. `steer`: for how to go on, as viewers who joined before. */
  readonly kind: 'join' | 'steer';
  readonly seconds: number;
}

export interface LoadResult {
  readonly answers: number;
  /** With another status than 200. */
  readonly refused: number;
  readonly tookMs: readonly number[];
}

const CONNECTIONS = 32;
/** Players that ask how to go on, in turn. */
const PLAYERS = 2_000;
const STEERING = /SERVER-URI="([^"]+)",PATHWAY-ID="([^"]+)"/;

const dice = new Dice(7);
process.on('disconnect', () => process.exit());
process.on('message', async (order: LoadOrder) => {
  process.send!(await run(order));
});

async function run({ port, streams, kind, seconds }: LoadOrder): Promise<LoadResult> {
  const popular = new Popularity(streams);
  const join = (): string => requestFor(`/live/${popular.draw(dice)}.m3u8`);
  let next = join;
  if (kind === 'steer') {
    const players = await playersAt(port, join);
    let at = 0;
    next = () => players[at++ % players.length]!;
  }
  const result = { answers: 0, refused: 0, tookMs: [] as number[] };
  const endMs = clock.monotonic() + seconds * 1000;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const asker = new Asker(port);
      while (clock.monotonic() < endMs) {
        const askedMs = clock.monotonic();
        const answer = await asker.ask(next());
        result.tookMs.push(clock.monotonic() - askedMs);
        result.answers += 1;
        if (!answer.startsWith('HTTP/1.1 200')) result.refused += 1;
      }
      asker.close();
    }),
  );
  return result;
}

async function playersAt(port: number, join: () => string): Promise<string[]> {
  const asker = new Asker(port);
  const players: string[] = [];
  while (players.length < PLAYERS) {
    const [, uri = '', pathway = ''] = STEERING.exec(await asker.ask(join())) ?? [];
    players.push(requestFor(`${uri}&_HLS_pathway=${pathway}&_HLS_throughput=8000000`));
  }
  asker.close();
  return players;
}

/** From an address anywhere, as a proxy says it. */
function requestFor(path: string): string {
  const address = Array.from({ length: 4 }, () => 1 + Math.floor(dice.next() * 222)).join('.');
  return `GET ${path} HTTP/1.1\r\nHost: usher.example\r\nX-Forwarded-For: ${address}\r\n\r\n`;
}

/** One question at a time. */
class Asker {
  readonly #socket: Socket;
  #text = '';
  #resolve: ((text: string) => void) | undefined;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1').setNoDelay().setEncoding('latin1');
    this.#socket.on('data', (text) => this.#read(String(text)));
  }

  ask(request: string): Promise<string> {
    this.#socket.write(request);
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#text += text;
    const head = this.#text.indexOf('\r\n\r\n');
    const length = Number(/content-length: (\d+)/i.exec(this.#text)?.[1]);
    if (head < 0 || this.#text.length < head + 4 + length) return;
    const answer = this.#text;
    this.#text = '';
    this.#resolve?.(answer);
  }
}
