// What RTMP asks of ingest: may this be published, and where does it go?

import type { RtmpMessage } from '../media.ts';

export interface PublishRequest {
  readonly connectionId: string;
  readonly app: string;
  readonly name: string;
  readonly query: Readonly<Record<string, string>>;
  readonly remoteAddress: string;
  /** Ends the publication later: RTMP status of the level error with this description, then the socket. */
  close(code: string, description: string): void;
  /** Asks the broadcaster to go on at another server, when it is ready to; false when it is not one that can be asked. */
  reconnect(rtmpUrl: string, description: string): boolean;
}

export interface Publication {
  /** May throw: the connection then ends, with the error's words as RTMP status. */
  message(message: RtmpMessage): void;
  /** Called exactly once, when the connection is over. */
  closed(reason: string): void;
}

export type PublishDecision =
  | { readonly kind: 'accept'; readonly publication: Publication }
  /** The code is one of RTMP's, such as `NetStream.Publish.BadName`. */
  | { readonly kind: 'refuse'; readonly code: string; readonly description: string };
