// Signals: what a server says to those who follow or watch its feed, in `free` boxes between the chunks. Pure.

import { CodedError, reasonOf } from '../errors.ts';
import { HEADER_BYTES, viewOf } from '../media/boxes.ts';

/** By way of which servers a feed comes to one of them. */
export interface Lineage {
  /** Ids of servers, the one that says so last. The first is the origin, or a server that has lost its parent. */
  readonly path: readonly string[];
  /** Whether the path begins at the origin, so that what the origin appends arrives. */
  readonly isFed: boolean;
}

export type Signal =
  /** Sent at once, when the lineage changes, and every `HEARTBEAT_MS`: the sender lives, and its next chunk is `next`. */
  | ({ readonly kind: 'heartbeat'; readonly next: number } & Lineage)
  /** The stream is over: nothing more is to be had from anybody. */
  | { readonly kind: 'end'; readonly reason: string }
  /** For viewers: the server is being emptied, and who can join another one without a gap is to do so. */
  | { readonly kind: 'move' };

export const HEARTBEAT_MS = 500;

/** One `free` box (ISO/IEC 14496-12 8.1.2) with JSON in it: whoever takes the feed for a file passes over it. */
export function writeSignal(signal: Signal): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(signal));
  const bytes = new Uint8Array(HEADER_BYTES + json.length);
  viewOf(bytes).setUint32(0, bytes.length);
  bytes.set(new TextEncoder().encode('free'), 4);
  bytes.set(json, HEADER_BYTES);
  return bytes;
}

/** Reads a whole `free` box. Throws `bad_signal` when it is none of ours. */
export function readSignal(bytes: Uint8Array): Signal {
  const { kind, path, isFed, next, reason } = parse(bytes) as Partial<Record<string, unknown>>;
  if (kind === 'heartbeat' && isPath(path) && typeof isFed === 'boolean' && Number.isSafeInteger(next)) {
    return { kind, path, isFed, next: next as number };
  }
  if (kind === 'end' && typeof reason === 'string') return { kind, reason };
  if (kind === 'move') return { kind };
  throw new CodedError('bad_signal', `a signal of the kind '${String(kind).slice(0, 40)}' that says nothing`);
}

function parse(bytes: Uint8Array): object {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(HEADER_BYTES)));
    if (typeof value === 'object' && value !== null) return value;
    throw new Error('it is no object');
  } catch (error) {
    throw new CodedError('bad_signal', `a signal that can't be read: ${reasonOf(error)}`, { cause: error });
  }
}

function isPath(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((id) => typeof id === 'string');
}
