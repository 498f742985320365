// A request and its answer without a connection, for parsers that read a whole request.

import type { Exchange } from '../../network/http/exchange.ts';

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface Answered {
  status: number;
  headers: Readonly<Record<string, unknown>>;
  bytes: number;
}

export function fakeExchange({ method = 'GET', headers = {}, params = {}, body = new Uint8Array() }: Asked): {
  readonly exchange: Exchange;
  readonly answer: Answered;
} {
  const answer: Answered = { status: 0, headers: {}, bytes: 0 };
  const response = {
    setHeader: () => {},
    writeHead(status: number, sent: Readonly<Record<string, unknown>> | readonly unknown[]) {
      Object.assign(answer, { status, headers: Array.isArray(sent) ? byName(sent) : sent });
    },
    cork: () => {},
    write(bytes: Uint8Array) {
      answer.bytes += bytes.length;
      return true;
    },
    end(bytes?: Uint8Array) {
      answer.bytes += bytes?.length ?? 0;
    },
  };
  const request = {
    method,
    headers,
    httpVersionMajor: 1,
    async *iterator() {
      yield Buffer.from(body);
    },
  };
  const exchange = {
    ...{ request, response, params },
    connection: undefined,
    path: '/',
    query: new URLSearchParams(),
    subject: {},
    bodyBytes: 0,
  };
  return { exchange: exchange as unknown as Exchange, answer };
}

/** Headers may also be a list of names and values in turn. */
function byName(lines: readonly unknown[]): Readonly<Record<string, unknown>> {
  const pairs = Array.from({ length: lines.length / 2 }, (_, at) => [lines[2 * at], lines[2 * at + 1]]);
  return Object.fromEntries(pairs);
}
