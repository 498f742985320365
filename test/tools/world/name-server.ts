// A name server for sites in namespaces: it knows a few names, and can be made to fail or to fall silent (RFC 1035).

import { execFileSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';

/** What becomes of a question. */
export type NameService = 'answers' | 'fails' | 'is silent';

const HEADER_BYTES = 12;
const IS_ANSWER = 0x8400;
const SERVFAIL = 2;
const NXDOMAIN = 3;
const TYPE_A = 1;
const TTL_S = 1;

export class NameServer implements AsyncDisposable {
  service: NameService = 'answers';
  readonly #socket: Socket;
  /** Addresses (IPv4) by name. */
  readonly #names: ReadonlyMap<string, string>;

  private constructor(socket: Socket, names: ReadonlyMap<string, string>) {
    this.#socket = socket;
    this.#names = names;
    socket.on('message', (question, { address, port }) => {
      if (this.service !== 'is silent') socket.send(this.#answer(question), port, address);
    });
  }

  static async start(host: string, names: ReadonlyMap<string, string>): Promise<NameServer> {
    const socket = createSocket('udp4').bind(53, host);
    await once(socket, 'listening');
    return new NameServer(socket, names);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #answer(asked: Buffer): Buffer {
    const { name, end } = readName(asked);
    const address = this.#names.get(name);
    if (this.service === 'fails') return head(asked, end, SERVFAIL, 0);
    if (!address) return head(asked, end, NXDOMAIN, 0);
    // Names have no IPv6 address: no error, and no answer either.
    if (asked.readUInt16BE(end - 4) !== TYPE_A) return head(asked, end, 0, 0);
    const record = Buffer.alloc(16);
    // The name is that of the question: a pointer to it (4.1.4).
    record.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
    record.writeUInt16BE(TYPE_A, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(TTL_S, 6);
    record.writeUInt16BE(4, 10);
    record.set(address.split('.').map(Number), 12);
    return Buffer.concat([head(asked, end, 0, 1), record]);
  }
}

/** From now on every process of this one's mount namespace, which is to be its own, asks `host` for names. */
export function useNameServer(host: string, file: string): void {
  writeFileSync(file, `nameserver ${host}\n`);
  execFileSync('mount', ['--bind', file, '/etc/resolv.conf']);
}

/** The first question's, in labels with their lengths before them; and where it ends, its type and class included. */
function readName(message: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = message[at]!; length > 0; length = message[at]!) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 5 };
}

/** The question again, with what became of it. */
function head(asked: Buffer, end: number, code: number, answers: number): Buffer {
  const bytes = Buffer.from(asked.subarray(0, end));
  bytes.writeUInt16BE(IS_ANSWER | (asked.readUInt16BE(2) & 0x0100) | code, 2);
  bytes.writeUInt16BE(answers, 6);
  bytes.fill(0, 8, HEADER_BYTES);
  return bytes;
}
