import { describe, expect, test } from 'vitest';
import { type Connection, type SessionLimits, Sessions, sharedSession } from '../../edge/sessions.ts';
import { Metrics } from '../../network/metrics.ts';
import { ManualClock } from '../tools/manual-clock.ts';

function setUp(limits: Partial<SessionLimits> = {}): {
  clock: ManualClock;
  metrics: Metrics;
  sessions: Sessions;
} {
  const clock = new ManualClock();
  const metrics = new Metrics();
  return { clock, metrics, sessions: new Sessions({ clock, metrics, limits }) };
}

function end(connection: Connection): void {
  if (connection.kind === 'connected') connection.end();
}

const ann = { session: 'ann', stream: 'alice' };
const ben = { session: 'ben', stream: 'alice' };

describe('an HLS session', () => {
  test('lives while it asks and is gone ten seconds after its last request', () => {
    const { clock, sessions } = setUp();
    sessions.see(ann);
    for (let request = 0; request < 6; request++) {
      clock.advance(5000);
      sessions.see(ann);
    }
    expect([...sessions.list()]).toEqual([
      { ...ann, kind: 'hls', sinceMs: 1_800_000_000_000, connections: 0 },
    ]);
    clock.advance(9000);
    expect(sessions.viewersOf('alice')).toBe(1);
    clock.advance(2000);
    expect(sessions.viewersOf('alice')).toBe(0);
    expect(sessions.count).toBe(0);
  });

  test('is one viewer however often it asks, and one on each stream', () => {
    const { sessions } = setUp();
    for (let request = 0; request < 100; request++) sessions.see(ann);
    sessions.see({ ...ann, stream: 'bob' });
    sessions.see(ben);
    expect([sessions.viewersOf('alice'), sessions.viewersOf('bob'), sessions.count]).toEqual([2, 1, 3]);
  });

  test('needs one timer for all, and none once they are gone', () => {
    const { clock, sessions } = setUp();
    for (let viewer = 0; viewer < 1000; viewer++) sessions.see({ ...ann, session: `${viewer}` });
    expect(clock.pending).toBe(1);
    clock.advance(11_000);
    expect([clock.pending, sessions.count]).toEqual([0, 0]);
    sessions.see(ann);
    expect(clock.pending).toBe(1);
  });
});

describe('a progressive session', () => {
  test('counts its connections, each until it ends, whoever ends it twice', () => {
    const { sessions } = setUp();
    const connections = [sessions.connect(ann), sessions.connect(ann), sessions.connect(ben)];
    expect([sessions.viewersOf('alice'), sessions.count]).toEqual([3, 3]);
    expect([...sessions.list()].map(({ session, connections }) => [session, connections])).toEqual([
      ['ann', 2],
      ['ben', 1],
    ]);
    for (const connection of connections) {
      end(connection);
      end(connection);
    }
    expect([sessions.viewersOf('alice'), sessions.count, [...sessions.list()]]).toEqual([0, 0, []]);
  });

  test('has eight connections at most, and more as soon as one ends', () => {
    const { sessions } = setUp();
    const connections = Array.from({ length: 8 }, () => sessions.connect(ann));
    expect(sessions.connect(ann)).toMatchObject({ kind: 'refused', status: 429, retryAfterS: 5 });
    expect(sessions.connect(ben).kind).toBe('connected');
    end(connections[0]!);
    expect(sessions.connect(ann).kind).toBe('connected');
  });

  test('of those who share a token and an address has room for an office', () => {
    const { sessions } = setUp();
    const office = { session: sharedSession('192.0.2.1', 'a browser'), stream: 'alice' };
    for (let opened = 0; opened < 256; opened++) expect(sessions.connect(office).kind).toBe('connected');
    expect(sessions.connect(office)).toMatchObject({ status: 429 });
  });
});

test('a full server refuses new viewers of both kinds and keeps those it has', () => {
  const { sessions } = setUp({ viewers: 2 });
  sessions.see(ann);
  const connection = sessions.connect(ann);
  expect(sessions.see(ann).kind).toBe('admitted');
  const refusal = { kind: 'refused', status: 503, reason: expect.stringContaining('has 2 viewers') };
  expect(sessions.see(ben)).toMatchObject(refusal);
  expect(sessions.connect(ben)).toMatchObject(refusal);
  end(connection);
  expect(sessions.see(ben).kind).toBe('admitted');
});

test('the gauges say how many watch by which kind', async () => {
  const { sessions, metrics } = setUp();
  sessions.see(ann);
  sessions.connect(ann);
  sessions.connect(ben);
  const text = await metrics.text();
  expect(text).toContain('headwater_viewers{kind="hls"} 1');
  expect(text).toContain('headwater_viewers{kind="progressive"} 2');
});
