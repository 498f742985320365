import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readTraceContext, writeTraceparent } from '../../../network/trace/trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const GOOD = `00-${TRACE}-${SPAN}-01`;

describe('a traceparent', () => {
  test('names the trace, the caller’s span and whether it is recorded', () => {
    expect(readTraceContext(GOOD)).toEqual({
      traceId: TRACE,
      parentId: SPAN,
      isSampled: true,
      isRandom: false,
      tracestate: '',
    });
  });

  test('is passed on with our span in place of the caller’s, and only the flags that are known', () => {
    const ours = 'b7ad6b7169203331';
    expect(writeTraceparent(readTraceContext(GOOD)!, ours)).toBe(`00-${TRACE}-${ours}-01`);
    expect(writeTraceparent(readTraceContext(`00-${TRACE}-${SPAN}-fe`)!, ours)).toBe(
      `00-${TRACE}-${ours}-02`,
    );
  });

  test('of a later version may say more', () => {
    expect(readTraceContext(`cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`)?.traceId).toBe(TRACE);
  });

  test.each([
    ['of this version that says more', `${GOOD}-more`],
    ['of a later version that goes on without a dash', `cc-${TRACE}-${SPAN}-01.more`],
    ['of version ff', `ff-${TRACE}-${SPAN}-01`],
    ['with capital letters', GOOD.toUpperCase()],
    ['with a trace id of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['with a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['that is too short', GOOD.slice(0, -1)],
    ['that comes twice', `${GOOD}, ${GOOD}`],
    ['with a line break', `${GOOD}\n`],
    ['that is empty', ''],
  ])('%s is none', (_, text) => {
    expect(readTraceContext(text)).toBeUndefined();
  });
});

describe('a tracestate', () => {
  const read = (text: string) => readTraceContext(GOOD, text)!.tracestate;

  test('is passed on as it is, without empty members and spaces around commas', () => {
    expect(read('rojo=00f067aa0ba902b7,fw529a3039@dt=FfIe;x')).toBe(
      'rojo=00f067aa0ba902b7,fw529a3039@dt=FfIe;x',
    );
    expect(read('a=1 ,\t, b=x y,')).toBe('a=1,b=x y');
  });

  test.each([
    'a',
    'A=1',
    'a=1,a=2',
    'a=b=c',
    'a=',
    'a=\u00e9',
    Array.from({ length: 33 }, (_, n) => `k${n}=1`).join(),
  ])('that breaks a rule is dropped, and the trace goes on: %s', (text) => {
    expect(read(text)).toBe('');
  });

  test('that is long loses its oldest members, which stand last', () => {
    const member = (key: string) => `${key}=${'x'.repeat(248)}`;
    expect(read([member('a'), member('b'), member('c')].join())).toBe([member('a'), member('b')].join());
  });
});

test('whatever the headers are, what is passed on is read as the same trace by the next', () => {
  const digits = fc.stringMatching(/^[0-9a-g]{0,34}$/);
  const traceparent = fc.tuple(
    fc.constantFrom('00', '01', 'ff'),
    digits,
    digits,
    fc.stringMatching(/^[0-9a-f]{1,3}$/),
  );
  const anyTraceparent = fc.oneof(
    fc.string(),
    fc.constant(GOOD),
    traceparent.map((fields) => fields.join('-')),
  );
  const anyTracestate = fc.oneof(fc.string(), fc.stringMatching(/^([a-z@]{1,4}=[ -~]{1,9},?){0,40}$/));
  fc.assert(
    fc.property(anyTraceparent, anyTracestate, (parent, state) => {
      const read = readTraceContext(parent, state);
      if (!read) return;
      const again = readTraceContext(writeTraceparent(read, SPAN), read.tracestate);
      expect(again).toEqual({ ...read, parentId: SPAN });
    }),
  );
});
