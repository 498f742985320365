// Bodies of requests.

import { reasonOf } from '../errors.ts';
import { sendProblem } from './answers.ts';
import type { Exchange } from './exchange.ts';
import { http2StreamOf } from './listener.ts';

/** The body of a request as text; undefined when it is longer than `maxBytes` or broke off, which has been answered. */
export async function readText(exchange: Exchange, maxBytes: number): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of exchange.request.iterator({ destroyOnReturn: false })) {
      bytes += piece.length;
      if (bytes > maxBytes) return refuseBody(exchange, maxBytes);
      pieces.push(piece);
    }
  } catch (error) {
    sendProblem(exchange, 400, 'Bad Request', `the body broke off: ${reasonOf(error)}`);
    return undefined;
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** What is still to come of it is not read, so the connection is of no further use. */
function refuseBody(exchange: Exchange, maxBytes: number): undefined {
  if (!http2StreamOf(exchange.request)) exchange.response.setHeader('Connection', 'close');
  sendProblem(exchange, 413, 'Content Too Large', `a body has at most ${maxBytes} bytes here`);
}
