// What a server asks of the parent that it follows, as both ends read and write it. Pure.

import { CodedError } from '../errors.ts';
import { quoted } from '../names.ts';
import type { Parent } from '../state/state.ts';

export interface FeedName {
  readonly stream: string;
  readonly rendition: string;
}

/** Where a server goes on that has a part of the feed. */
export interface Resumption {
  /** Sequence number of the chunk that it needs next. */
  readonly from: number;
  /** Epoch of the chunk before that: another feed may have used the same numbers. */
  readonly epoch: number | undefined;
}

export interface RelayRequest extends FeedName {
  /** Id of the server that asks. */
  readonly as: string;
  /** Undefined for a server that has nothing. */
  readonly resumption: Resumption | undefined;
  /** How much of what is held such a server wants, in seconds; undefined: enough for a viewer. */
  readonly backS?: number | undefined;
}

export const RELAY_PATH = /^\/relay\/(?<stream>[^/]+)\/(?<rendition>[^/]+)$/;

/** `GET /relay/<stream>/<rendition>?as=<server>&from=<sequence>&epoch=<epoch>&back=<seconds>`. */
export function relayUrl(parent: Parent, request: RelayRequest): string {
  const { stream, rendition, as, resumption, backS } = request;
  const url = new URL(parent.relayUrl);
  const names = [stream, rendition].map(encodeURIComponent);
  url.pathname = [url.pathname.replace(/\/$/, ''), 'relay', ...names].join('/');
  url.searchParams.set('as', as);
  if (resumption) url.searchParams.set('from', String(resumption.from));
  else if (backS !== undefined) url.searchParams.set('back', String(backS));
  if (resumption?.epoch !== undefined) url.searchParams.set('epoch', String(resumption.epoch));
  return url.href;
}

/** Throws `bad_request` when a parameter is missing or makes no sense. */
export function readRelayRequest(name: FeedName, query: URLSearchParams): RelayRequest {
  const as = query.get('as') ?? '';
  if (!SERVER_ID.test(as)) throw new CodedError('bad_request', `as=${quoted(as)} is not the id of a server`);
  const from = readNumber(query, 'from');
  const epoch = readNumber(query, 'epoch');
  const resumption = from === undefined ? undefined : { from, epoch };
  return { ...name, as, resumption, backS: readNumber(query, 'back') };
}

const SERVER_ID = /^[A-Za-z0-9_.-]{1,64}$/;

function readNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new CodedError('bad_request', `${name}=${quoted(text)} is not a number of up to ten digits`);
}
