// W3C Trace Context: what the headers `traceparent` and `tracestate` say of the trace that a request belongs to. Pure.

export interface TraceContext {
  /** 32 hexadecimal digits, not all 0. */
  readonly traceId: string;
  /** 16 hexadecimal digits, not all 0: the caller's span. */
  readonly parentId: string;
  /** Whoever began the trace records it. */
  readonly isSampled: boolean;
  /** Level 2: the trace id is random. */
  readonly isRandom: boolean;
  /** As it is passed on; empty for none. */
  readonly tracestate: string;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;
const SAMPLED = 0x01;
const RANDOM = 0x02;
/** 3.3.1: members at most, and characters that have to be passed on at least: what is more goes from the end. */
const MAX_MEMBERS = 32;
const MAX_STATE_LENGTH = 512;
/** 3.3.1.3.1: a key, `=`, and printable ASCII but `,` and `=` that does not end in a space. */
const MEMBER =
  /^([a-z0-9][a-z0-9_*/@-]{0,255})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** Undefined for a `traceparent` that is none: the request then belongs to no trace (3.2). */
export function readTraceContext(traceparent: string, tracestate = ''): TraceContext | undefined {
  const [, version, traceId, parentId, flags, rest] = TRACEPARENT.exec(traceparent) ?? [];
  if (version === undefined || version === 'ff' || ZEROS.test(traceId!) || ZEROS.test(parentId!))
    return undefined;
  // Later versions may say more behind a dash; this one may not.
  if (version === '00' && rest !== undefined) return undefined;
  const bits = Number.parseInt(flags!, 16);
  return {
    traceId: traceId!,
    parentId: parentId!,
    isSampled: (bits & SAMPLED) !== 0,
    isRandom: (bits & RANDOM) !== 0,
    tracestate: readTracestate(tracestate),
  };
}

/** For a request of ours that belongs to the trace, out of our span. */
export function writeTraceparent({ traceId, isSampled, isRandom }: TraceContext, spanId: string): string {
  const flags = (isSampled ? SAMPLED : 0) | (isRandom ? RANDOM : 0);
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`;
}

/** One that breaks a rule is dropped as a whole, and the trace goes on without it. */
function readTracestate(text: string): string {
  const members = text
    .split(',', 2 * MAX_MEMBERS)
    .map((member) => member.replace(/^[ \t]+|(?<![ \t])[ \t]+$/g, ''))
    .filter((member) => member !== '');
  const keys = members.map((member) => MEMBER.exec(member)?.[1]);
  const isGood =
    members.length <= MAX_MEMBERS && !keys.includes(undefined) && new Set(keys).size === keys.length;
  while (members.join(',').length > MAX_STATE_LENGTH) members.pop();
  return isGood ? members.join(',') : '';
}
