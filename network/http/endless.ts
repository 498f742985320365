// Answers without an end.

import { head, sendProblem } from './answers.ts';
import type { Exchange } from './exchange.ts';
import { http2StreamOf, ignoreSilence, type Outlet } from './listener.ts';

/**
 * Answers with an endless body and hands out what it is written to. Over HTTP/1.1 it ends with the connection and is not
 * framed: chunked framing would cost each viewer a header of its own for bytes that all viewers share. Returns undefined when
 * the answer is complete as it is: to HEAD, to a request that another answer on its connection stands before, and to nobody.
 */
export function sendEndless(
  exchange: Exchange,
  type: string,
  headers: Readonly<Record<string, string | number>> = {},
): Outlet | undefined {
  const { request, response } = exchange;
  const stream = http2StreamOf(request);
  const outlet = stream ?? response.socket;
  if (!outlet || outlet.destroyed) {
    sendProblem(exchange, 409, 'Conflict', 'an endless answer needs a connection of its own');
    return undefined;
  }
  const ofConnection: Record<string, string> = stream ? {} : { Connection: 'close' };
  response.removeHeader('Transfer-Encoding');
  head(exchange, 200, { ...headers, 'Content-Type': type, 'Cache-Control': 'no-store', ...ofConnection });
  response.flushHeaders();
  if (request.method === 'HEAD') {
    response.end();
    return undefined;
  }
  if (!stream) ignoreInput(outlet);
  return outlet;
}

/**
 * No answer to a further request could ever be sent, so none is parsed: requests behind an endless answer would pile up. Whoever
 * closes its half reads no further either, and bytes for it would lie here until TCP gives up.
 */
function ignoreInput(socket: Outlet): void {
  ignoreSilence(socket);
  socket.once('end', () => socket.destroy());
  const parsing = socket.listeners('data');
  socket.on('data', () => {});
  for (const listener of parsing) socket.off('data', listener as () => void);
}
