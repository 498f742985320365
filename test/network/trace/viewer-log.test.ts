import { beforeEach, describe, expect, test } from 'vitest';
import { beginSpan, traceFields, traceHeaders, within } from '../../../network/trace/current-trace.ts';
import { ViewerLog } from '../../../network/trace/viewer-log.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const session = 'abcdefghijkltransit';

let clock: ManualClock;
let logger: ReturnType<typeof keepingLogger>;
let log: ViewerLog;
beforeEach(() => {
  clock = new ManualClock();
  logger = keepingLogger();
  log = new ViewerLog({ logger, clock });
});
const levels = () => logger.lines.map(({ level }) => level);

describe('the log of viewers', () => {
  test('has the id of the session, without the uplink that is in it', () => {
    log.say({ session, stream: 'alice', server: 'a' }, 'viewer is placed');
    expect(logger.lines).toEqual([
      {
        level: 'debug',
        fields: { session: 'abcdefghijkl', stream: 'alice', server: 'a' },
        message: 'viewer is placed',
      },
    ]);
  });

  test('tells of those whose requests are recorded, and of 50 a second at most', () => {
    const span = beginSpan({ traceparent });
    within(span, () => {
      for (let viewer = 0; viewer < 60; viewer++) log.say({ session, stream: 'alice' }, 'viewer is placed');
    });
    expect(levels().filter((level) => level === 'info')).toHaveLength(50);
    clock.advance(1_000);
    within(span, () => log.say({ session, stream: 'alice' }, 'viewer is placed'));
    expect(levels().at(-1)).toBe('info');
    within(beginSpan({ traceparent: traceparent.replace(/01$/, '00') }), () =>
      log.say({ session, stream: 'alice' }, 'viewer is placed'),
    );
    expect(levels().at(-1)).toBe('debug');
  });
});

describe('a span', () => {
  test('goes along with what it leads to, and is over when it ends, whatever goes on', async () => {
    const span = beginSpan({ traceparent, tracestate: 'a=1' })!;
    const [during, after] = await within(span, async () => {
      await Promise.resolve();
      const seen = { ...traceFields(), ...traceHeaders() };
      span.end();
      await Promise.resolve();
      return [seen, { ...traceFields(), ...traceHeaders() }];
    });
    const { traceId } = span.context;
    const { spanId } = span;
    expect(during).toEqual({ traceId, spanId, traceparent: `00-${traceId}-${spanId}-01`, tracestate: 'a=1' });
    expect(after).toEqual({});
    expect(traceHeaders()).toEqual({});
  });

  test('is none without a traceparent, or with one that makes no sense', () => {
    expect(beginSpan({})).toBeUndefined();
    expect(beginSpan({ traceparent: '00-1-2-3' })).toBeUndefined();
  });
});
