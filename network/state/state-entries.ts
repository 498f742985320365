// Entries of the cluster state as they lie in Redis: a header that its scripts read, a line end, and a record as JSON. Pure.

import { CodedError, reasonOf } from '../errors.ts';
import { quoted } from '../names.ts';
import type { Demand, KnownUsher, UplinkAccount } from './lease.ts';
import type { Assignment, Drain, KnownServer, ServerRecord, StreamRecord } from './state.ts';
import type { StreamEntry } from './state-rules.ts';

/** Where an entry lies, for the error that says it is garbage. */
export interface Place {
  readonly key: string;
  readonly field: string;
}

const SERVER_ENTRY = /^(\d+)\n[^\n]*\n(.*)$/s;
const USHER_ENTRY = /^(\d+) \d+\n(.*)$/s;
const STREAM_ENTRY = /^(held|left|ended) (\d+) (\d+) ([^\n]*)\n(.*)$/s;

/** Throws `bad_state` when it is not what a beat writes; the other readers do so too. */
export function readServer(entry: string, place: Place): KnownServer {
  const [, at, json] = SERVER_ENTRY.exec(entry) ?? [];
  if (at === undefined || json === undefined) throw garbage(place, entry, 'it has no header');
  const record = parse(json, place, SERVER) as ServerRecord;
  if (record.id !== place.field) throw garbage(place, entry, 'it is the record of another server');
  return { ...record, beatAtMs: Number(at) };
}

export function readStream(entry: string, place: Place): StreamEntry {
  const [, kind, at, term, origin, json] = STREAM_ENTRY.exec(entry) ?? [];
  if (kind === undefined || origin === undefined) throw garbage(place, entry, 'it has no header');
  const record = json ? (parse(json, place, STREAM) as StreamRecord) : undefined;
  return { kind: kind as StreamEntry['kind'], atMs: Number(at), term: Number(term), origin, record };
}

export function readAssignment(json: string, place: Place): Assignment {
  return parse(json, place, ASSIGNMENT) as Assignment;
}

export function readDrain(json: string, place: Place): Drain {
  return parse(json, place, DRAIN) as Drain;
}

export function readUsher(entry: string, place: Place): KnownUsher {
  const [, at, json] = USHER_ENTRY.exec(entry) ?? [];
  if (at === undefined || json === undefined) throw garbage(place, entry, 'it has no header');
  return { id: place.field, heardAtMs: Number(at), demand: parse(json, place, DEMAND) as Demand };
}

export function readAmount(text: string, place: Place): number {
  if (!/^\d+$/.test(text)) throw garbage(place, text, 'it is no amount');
  return Number(text);
}

export function readAccount(json: string, place: Place): UplinkAccount {
  return parse(json, place, ACCOUNT) as UplinkAccount;
}

/** Fields and values of a hash, which Redis gives one after the other. */
export function pairs(flat: readonly string[]): [field: string, value: string][] {
  return Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index]!, flat[2 * index + 1]!]);
}

function garbage({ key, field }: Place, found: string, reason: string, cause?: unknown): CodedError {
  const words = `'${field}' in ${key} makes no sense: ${reason} (found ${quoted(found)})`;
  return new CodedError('bad_state', words, { cause });
}

/**
 * The type of a value, of every item of a list, of what may be null or absent, or of an object's fields; `*` stands for all of
 * them.
 */
type Shape =
  | keyof typeof PLAIN
  | readonly [Shape]
  | readonly [Shape, null | undefined]
  | { readonly [field: string]: Shape };

/** An infinite number is one that JSON has and no server writes; addresses go into what players get. */
const PLAIN = {
  string: (value: unknown) => typeof value === 'string',
  number: Number.isFinite,
  boolean: (value: unknown) => typeof value === 'boolean',
  url: (value: unknown) => typeof value === 'string' && URL.canParse(value),
};

const DRAIN: Shape = { sinceMs: 'number', deadlineMs: ['number', null] };

const RENDITION: Shape = {
  name: 'string',
  codecs: 'string',
  width: 'number',
  height: 'number',
  frameRate: 'number',
  peakBps: 'number',
  averageBps: 'number',
  opensGops: ['boolean', undefined],
};

const TRANSCODING: Shape = {
  slots: 'number',
  codecs: ['string'],
  jobs: [{ stream: 'string', state: 'string', reason: 'string', renditions: [RENDITION] }],
};

const SERVER: Shape = {
  id: 'string',
  instance: 'string',
  roles: ['string'],
  site: 'string',
  host: 'string',
  mediaUrl: 'url',
  relayUrl: 'url',
  rtmpUrl: 'url',
  egressMbps: 'number',
  sentMbps: 'number',
  cpuLoad: ['number', undefined],
  committedMbps: 'number',
  uplinks: { '*': 'number' },
  arrived: ['string'],
  copyMs: 'number',
  drain: [{ ...DRAIN, wished: 'boolean' }, null],
  holdings: [
    {
      stream: 'string',
      rendition: 'string',
      viewers: 'number',
      isPulled: ['boolean', undefined],
      arrivalsPerS: 'number',
      next: 'number',
      parent: ['string', null],
    },
  ],
  thumbnails: [['string'], undefined],
  transcoding: [TRANSCODING, undefined],
};

const STREAM: Shape = {
  startedAtMs: 'number',
  live: 'boolean',
  epoch: 'number',
  lastMsn: 'number',
  numbering: {
    sequence: 'number',
    msn: 'number',
    epoch: 'number',
    discontinuitySequence: 'number',
    targetDurationS: 'number',
    endTicks: 'number',
  },
  renditions: [RENDITION],
};

const RUNG: Shape = {
  name: 'string',
  codec: 'string',
  width: 'number',
  height: 'number',
  maxFrameRate: 'number',
  videoKbps: 'number',
};

const ASSIGNMENT: Shape = {
  follows: [{ stream: 'string', rendition: 'string', parents: [{ id: 'string', relayUrl: 'url' }] }],
  successors: { '*': { id: 'string', mediaUrl: 'url' } },
  transcodes: [[{ stream: 'string', rungs: [RUNG] }], undefined],
};

const DEMAND: Shape = { '*': { '*': 'number' } };

const ACCOUNT: Shape = {
  monthStartMs: 'number',
  intervals: 'number',
  intervalStartMs: 'number',
  intervalMbitSum: 'number',
  top: ['number'],
  gigabytes: 'number',
};

function parse(json: string, place: Place, shape: Shape): unknown {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw garbage(place, json, reasonOf(error), error);
  }
  if (!fits(value, shape)) throw garbage(place, json, 'a field is missing or of another type');
  return value;
}

/** Fields that the shape does not name are a newer version's, and fit. */
function fits(value: unknown, shape: Shape): boolean {
  if (typeof shape === 'string') return PLAIN[shape](value);
  if (mayLack(shape)) return value === shape[1] || fits(value, shape[0]);
  if (isList(shape)) return Array.isArray(value) && value.every((item) => fits(item, shape[0]));
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Readonly<Record<string, unknown>>;
  const every = shape['*'];
  if (every !== undefined) return Object.values(fields).every((field) => fits(field, every));
  for (const name in shape) if (!fits(fields[name], shape[name]!)) return false;
  return true;
}

function mayLack(shape: Exclude<Shape, string>): shape is readonly [Shape, null | undefined] {
  return Array.isArray(shape) && shape.length === 2;
}

function isList(shape: Exclude<Shape, string>): shape is readonly [Shape] {
  return Array.isArray(shape);
}
