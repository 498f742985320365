import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { Admission, Entry } from '../../../edge/sessions/hls-sessions.ts';
import { type Connection, sharedSession } from '../../../edge/sessions/session.ts';
import { type SessionLimits, Sessions } from '../../../edge/sessions/sessions.ts';
import type { Commitments } from '../../../network/egress/commitments.ts';
import { Metrics } from '../../../network/metrics.ts';
import { commitmentsOf, roomForAll } from '../../tools/cluster/commitments.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

interface Setting {
  readonly limits?: Partial<SessionLimits>;
  readonly commitments?: Commitments;
  readonly isDraining?: () => boolean;
}

function setUp({ limits = {}, commitments = roomForAll(), isDraining = () => false }: Setting = {}): {
  clock: ManualClock;
  metrics: Metrics;
  sessions: Sessions;
} {
  const clock = new ManualClock();
  const metrics = new Metrics();
  return {
    clock,
    metrics,
    sessions: new Sessions({ clock, logger: keepingLogger(), metrics, commitments, isDraining, limits }),
  };
}

function end(connection: Connection): void {
  if (connection.kind === 'connected') connection.end();
}

function entryOf(admission: Admission): Entry {
  if (admission.kind === 'refused') throw new Error(admission.reason);
  return admission.entry;
}

const ann = { session: 'ann', stream: 'alice', rendition: 'source' };
const ben = { ...ann, session: 'ben' };

describe('an HLS session', () => {
  test('lives while it asks and is gone ten seconds after its last request', () => {
    const { clock, sessions } = setUp();
    sessions.hls.see(ann, undefined);
    for (let request = 0; request < 6; request++) {
      clock.advance(5000);
      sessions.hls.see(ann, undefined);
    }
    expect([...sessions.list()]).toEqual([{ ...ann, kind: 'hls', sinceMs: 1_800_000_000_000, viewers: 1 }]);
    clock.advance(9000);
    expect(sessions.viewers.of('alice', 'source')).toBe(1);
    clock.advance(2000);
    expect(sessions.viewers.of('alice', 'source')).toBe(0);
    expect(sessions.count).toBe(0);
  });

  test('of a recording is there for a minute, and is waited for no longer than it asks', () => {
    const { clock, sessions } = setUp();
    sessions.vod.see(ann, undefined);
    clock.advance(10_000);
    sessions.vod.see(ben, undefined);
    expect([sessions.vod.count, sessions.vod.seenWithin(15_000)]).toEqual([2, 2]);
    clock.advance(10_000);
    expect([sessions.vod.count, sessions.vod.seenWithin(15_000)]).toEqual([2, 1]);
    clock.advance(51_000);
    expect([sessions.vod.count, sessions.vod.seenWithin(15_000)]).toEqual([0, 0]);
  });

  test('is one viewer however often it asks, and one on each stream', () => {
    const { sessions } = setUp();
    for (let request = 0; request < 100; request++) sessions.hls.see(ann, undefined);
    sessions.hls.see({ ...ann, stream: 'bob' }, undefined);
    sessions.hls.see(ben, undefined);
    const { viewers } = sessions;
    expect([viewers.of('alice', 'source'), viewers.of('bob', 'source'), sessions.count]).toEqual([2, 1, 3]);
  });

  test('is counted at the rendition that it asked for last, and has arrived once', () => {
    const commitments = commitmentsOf(100, 4);
    const { sessions } = setUp({ commitments });
    sessions.hls.see(ann, undefined);
    sessions.hls.see({ ...ann, rendition: '480p30' }, undefined);
    const { viewers } = sessions;
    expect([viewers.of('alice', 'source'), viewers.of('alice', '480p30')]).toEqual([0, 1]);
    expect([viewers.arrivalsOf('alice', 'source'), viewers.arrivalsOf('alice', '480p30')]).toEqual([0, 0]);
    expect([sessions.count, viewers.arrived, commitments.uplinks]).toEqual([1, ['ann'], { '': 4 }]);
  });

  test('needs one timer for all, and none once they are gone', () => {
    const { clock, sessions } = setUp();
    for (let viewer = 0; viewer < 1000; viewer++)
      sessions.hls.see({ ...ann, session: `${viewer}` }, undefined);
    expect(clock.pending).toBe(1);
    clock.advance(11_000);
    expect([clock.pending, sessions.count]).toEqual([0, 0]);
    sessions.hls.see(ann, undefined);
    expect(clock.pending).toBe(1);
  });

  test('of a shared token is as many viewers as connections, each where it asked last, and takes one copy of each', () => {
    const commitments = commitmentsOf(100, 4);
    const { clock, sessions } = setUp({ commitments });
    const cache = { ...ann, session: sharedSession('192.0.2.1', 'a cache') };
    const [one, other] = [new EventEmitter(), new EventEmitter()];
    for (let request = 0; request < 20; request++) sessions.hls.see(cache, request % 2 ? one : other);
    const { viewers } = sessions;
    expect([viewers.of('alice', 'source'), sessions.count, commitments.uplinks]).toEqual([2, 2, { '': 4 }]);
    sessions.hls.see({ ...cache, rendition: '480p30' }, other);
    expect([viewers.of('alice', 'source'), viewers.of('alice', '480p30')]).toEqual([1, 1]);
    one.emit('close');
    expect([viewers.of('alice', 'source'), one.listenerCount('close'), commitments.mbps]).toEqual([0, 0, 8]);
    clock.advance(11_000);
    expect([sessions.count, commitments.uplinks, viewers.arrived]).toEqual([0, {}, []]);
    other.emit('close');
    expect(sessions.count).toBe(0);
  });
});

describe('what an HLS session may fetch', () => {
  test('is what several players would at first, then four times what one plays: a token that is handed on feeds no crowd', () => {
    const { clock, sessions } = setUp();
    const entry = entryOf(sessions.hls.see(ann, undefined));
    const fetched = (mediaMs: number): number => {
      let count = 0;
      while (sessions.hls.refusalOf(entry, mediaMs) === undefined) count++;
      return count;
    };
    expect(fetched(2_000)).toBe(90);
    expect(sessions.hls.refusalOf(entry, 2_000)).toMatchObject({ status: 429, retryAfterS: 5 });
    clock.advance(4_000);
    sessions.hls.see(ann, undefined);
    expect(fetched(2_000)).toBe(8);
  });

  test('has no bound for a cache, which feeds others', () => {
    const { sessions } = setUp();
    const cache = { ...ann, session: sharedSession('192.0.2.1', 'a cache') };
    const entry = entryOf(sessions.hls.see(cache, undefined));
    for (let count = 0; count < 1_000; count++) expect(sessions.hls.refusalOf(entry, 2_000)).toBeUndefined();
  });
});

describe('a progressive session', () => {
  test('counts its connections, each until it ends, whoever ends it twice', () => {
    const { sessions } = setUp();
    const connections = [ann, ann, ben].map((watcher) => sessions.progressive.connect(watcher));
    expect([sessions.viewers.of('alice', 'source'), sessions.count]).toEqual([3, 3]);
    expect([...sessions.list()].map(({ session, viewers }) => [session, viewers])).toEqual([
      ['ann', 2],
      ['ben', 1],
    ]);
    for (const connection of connections) {
      end(connection);
      end(connection);
    }
    const left = [sessions.viewers.of('alice', 'source'), sessions.count, [...sessions.list()]];
    expect(left).toEqual([0, 0, []]);
  });

  test('has eight connections at most, and more as soon as one ends', () => {
    const { sessions } = setUp();
    const connections = Array.from({ length: 8 }, () => sessions.progressive.connect(ann));
    const refusal = { kind: 'refused', status: 429, retryAfterS: 5 };
    expect(sessions.progressive.connect(ann)).toMatchObject(refusal);
    expect(sessions.progressive.connect(ben).kind).toBe('connected');
    end(connections[0]!);
    expect(sessions.progressive.connect(ann).kind).toBe('connected');
  });

  test('of those who share a token and an address has room for an office', () => {
    const { sessions } = setUp();
    const office = { ...ann, session: sharedSession('192.0.2.1', 'a browser') };
    for (let opened = 0; opened < 256; opened++)
      expect(sessions.progressive.connect(office).kind).toBe('connected');
    expect(sessions.progressive.connect(office)).toMatchObject({ status: 429 });
  });
});

test('a full server refuses new viewers of both kinds and keeps those it has', () => {
  const { sessions } = setUp({ limits: { viewers: 2 } });
  sessions.hls.see(ann, undefined);
  const connection = sessions.progressive.connect(ann);
  expect(sessions.hls.see(ann, undefined).kind).toBe('admitted');
  const refusal = { kind: 'refused', status: 503, reason: expect.stringContaining('has 2 viewers') };
  expect(sessions.hls.see(ben, undefined)).toMatchObject(refusal);
  expect(sessions.progressive.connect(ben)).toMatchObject(refusal);
  end(connection);
  expect(sessions.hls.see(ben, undefined).kind).toBe('admitted');
});

test('nobody is refused while there is room by bitrate, and everybody new beyond it; who watches may switch', async () => {
  const commitments = commitmentsOf(41, 4);
  const { sessions, metrics } = setUp({ commitments });
  const come = (viewer: number) => sessions.hls.see({ ...ann, session: `viewer-${viewer}` }, undefined).kind;
  for (let viewer = 0; viewer < 8; viewer++) expect(come(viewer)).toBe('admitted');
  const last = sessions.progressive.connect(ben);
  expect(last.kind).toBe('connected');
  expect(commitments.mbps).toBeCloseTo(36 + 4);
  expect(sessions.hls.see(ann, undefined)).toMatchObject({ kind: 'refused', status: 503, retryAfterS: 5 });
  expect(sessions.progressive.connect(ann)).toMatchObject({ kind: 'refused', status: 503 });
  const switched = sessions.hls.see({ ...ann, session: 'viewer-0', rendition: '720p60' }, undefined);
  expect(switched.kind).toBe('admitted');
  end(last);
  expect(sessions.hls.see(ann, undefined).kind).toBe('admitted');
  expect(await metrics.text()).toContain('headwater_viewers_refused_total{reason="egress"} 2');
});

test('a server that is being emptied plays on for those it has, and is not found by others', () => {
  let isDraining = false;
  const { sessions } = setUp({ isDraining: () => isDraining });
  sessions.hls.see(ann, undefined);
  isDraining = true;
  expect(sessions.hls.see(ann, undefined).kind).toBe('admitted');
  expect(sessions.hls.see(ben, undefined)).toMatchObject({
    kind: 'refused',
    status: 404,
    retryAfterS: undefined,
  });
  expect(sessions.progressive.connect(ann)).toMatchObject({ kind: 'refused', status: 404 });
});

test('a session that is sent away is no viewer any more, and over when it does not come back in the time it may take', () => {
  const { sessions, clock } = setUp();
  const errand = { isHere: true, withinMs: 3_000 };
  sessions.hls.see(ann, undefined);
  for (let request = 0; request < 3; request++) {
    expect(sessions.hls.sendAway(ann, { awaited: `1.${request}`, ...errand })).toBe(true);
    expect([sessions.count, sessions.viewers.of('alice', 'source'), sessions.hls.size]).toEqual([0, 0, 1]);
    clock.advance(2_000);
  }
  expect(sessions.hls.sendAway(ben, { awaited: undefined, ...errand })).toBe(true);
  clock.advance(1_000);
  expect([...sessions.list()].map(({ session, viewers }) => [session, viewers])).toEqual([['ben', 0]]);
  clock.advance(2_000);
  expect([sessions.hls.size, clock.pending]).toEqual([0, 0]);
});

test('the sessions that began here are told for 2.5 s, by the id that usher gave them', () => {
  const { sessions, clock } = setUp();
  sessions.hls.see({ ...ann, session: 'abcdefghijkltransit_1' }, undefined);
  clock.advance(1_000);
  end(sessions.progressive.connect({ ...ann, session: 'mnopqrstuvwx' }));
  expect(sessions.viewers.arrived).toEqual(['abcdefghijkl', 'mnopqrstuvwx']);
  clock.advance(1_500);
  expect(sessions.viewers.arrived).toEqual(['mnopqrstuvwx']);
  clock.advance(1_000);
  for (let viewer = 0; viewer < 2_500; viewer++)
    sessions.hls.see({ ...ann, session: `${viewer}` }, undefined);
  expect(sessions.viewers.arrived).toHaveLength(2_000);
  expect(sessions.viewers.arrived.at(-1)).toBe('2499');
});

test('the gauges say how many watch by which kind', async () => {
  const { sessions, metrics } = setUp();
  sessions.hls.see(ann, undefined);
  sessions.progressive.connect(ann);
  sessions.progressive.connect(ben);
  const text = await metrics.text();
  expect(text).toContain('headwater_viewers{kind="hls"} 1');
  expect(text).toContain('headwater_viewers{kind="progressive"} 2');
});
