// Where viewers go on when this server is being emptied.

import type { Exchange } from '../network/http/exchange.ts';
import { reachableUrl } from '../network/http/reachable.ts';
import type { Successor } from '../network/state/state.ts';

/** The server that has the stream and is to have its viewers; undefined as long as they stay. */
export type SuccessorOf = (stream: string) => Successor | undefined;

/** What is asked for, at the other server: names are the same on all servers, and so are tokens. */
export function elsewhere({ mediaUrl }: Successor, exchange: Exchange): string {
  return reachableUrl(mediaUrl, exchange) + exchange.request.url;
}
