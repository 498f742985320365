// What is asked of placement, and what it answers. Plain values.

import type { Cdn } from '../../network/map/topology.ts';
import type { Whence } from '../../network/map/whence.ts';
import type { KnownServer, StreamRecord } from '../../network/state/state.ts';
import type { PolicyName } from './price/policy.ts';

export interface PlaceRequest {
  readonly stream: string;
  /** The viewer's session or address: who asks again comes to the same of several servers that are equal. */
  readonly viewer: string;
  readonly whence: Whence;
  /** Its address or /64; undefined, or empty, where that has no bound. */
  readonly network?: string;
  /** Site at which the request came in. */
  readonly site?: string;
  /** Servers that this viewer is not to be sent to: those that it just lost. */
  readonly avoid?: readonly string[];
  /** Whether a CDN may serve this viewer at all. */
  readonly allowCdn: boolean;
  /** Instead of the policy that the stream has. */
  readonly policy?: PolicyName;
  /** The server that it watches at: it stays there unless another is better by more than a move is worth. */
  readonly now?: string;
}

export type Choice = ServerChoice | CdnChoice;

interface Offered {
  /** Bitrate of the highest rendition that there is room for: those above it are not to be listed. */
  readonly mbps: number;
  /** What it costs to serve this viewer there, by every price of the policy. */
  readonly microUsdPerHour: number;
}

export interface ServerChoice extends Offered {
  readonly kind: 'server';
  readonly server: KnownServer;
  /** Name of the site's uplink that this viewer is counted on. */
  readonly uplink: string;
  /** The server does not have the stream and is to follow it on demand; this is from whom. */
  readonly copyFrom?: string;
  /** The viewer is there already: nothing more is promised. */
  readonly stays: boolean;
}

export interface CdnChoice extends Offered {
  readonly kind: 'cdn';
  readonly cdn: Cdn;
  /** Servers that the CDN may pull this stream from, in order. */
  readonly shields: readonly KnownServer[];
  /** The only shield does not have the stream and is to follow it on demand; this is from whom. */
  readonly copyFrom?: string;
}

export type Decision =
  /** Best first, at most three; servers of different hosts where possible, the second of another site where that is sane. */
  | { readonly kind: 'serve'; readonly stream: StreamRecord; readonly choices: readonly Choice[] }
  | {
      readonly kind: 'full';
      readonly stream: StreamRecord;
      readonly reason: FullReason;
      readonly retryAfterS: number;
    }
  | { readonly kind: 'unknown' };

export type FullReason =
  /** No living server that is not being emptied may serve viewers. */
  | 'no_server'
  /** All that may are at a hard limit. */
  | 'no_room'
  /** There is room, of which this usher has not leased enough: it is to ask for more and place again. */
  | 'not_leased'
  /** Much is promised to others at the same address, who have not come for it. */
  | 'address'
  /** As `no_room`, and a CDN could, but this month's money for it is spent. */
  | 'cdn_spent';
