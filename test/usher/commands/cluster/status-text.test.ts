import { describe, expect, test } from 'vitest';
import type { Snapshot } from '../../../../network/state/state.ts';
import { statusText } from '../../../../usher/commands/cluster/status-text.ts';
import { plan } from '../../../../usher/planner.ts';
import {
  carriedOut,
  DRAIN,
  holding,
  NOW_MS,
  SOURCE,
  server,
  snapshot,
  stream,
} from '../../../tools/cluster/clusters.ts';

/** A broadcast in two sites, each server with viewers; and one of audio that waits for its broadcaster. */
function twoSites(): Snapshot {
  const edges = Array.from({ length: 9 }, (_, index) =>
    server(`edge-${index + 1}`, {
      site: index % 3 === 2 ? 'fra1' : 'ams1',
      sentMbps: 100 * (index + 1),
      holdings: [holding('alice', 20 * (index + 1))],
    }),
  );
  const origin = server('origin', {
    roles: ['origin', 'edge'],
    site: 'ams1',
    sentMbps: 38.4,
    holdings: [holding('alice', 1), holding('radio', 3, { rendition: 'audio' })],
  });
  const audio = {
    ...SOURCE,
    name: 'audio',
    codecs: 'mp4a.40.2',
    width: 0,
    height: 0,
    frameRate: 0,
    averageBps: 128_000,
  };
  const radio = stream('radio', 'origin', { live: false, lastMsn: -1, renditions: [audio] });
  const before = snapshot([origin, ...edges], [stream('alice', 'origin'), radio]);
  return carriedOut(before, plan(before));
}

/** What the plan wants and what is differ: a server is dead, one drains, one is behind, one is on its way, one came by itself. */
function troubled(): Snapshot {
  const whole = twoSites();
  const changes: Readonly<Record<string, object>> = {
    'edge-1': { beatAtMs: NOW_MS - 9_400 },
    'edge-2': { drain: DRAIN },
    'edge-3': { holdings: [holding('alice', 5, { next: 951 })] },
    'edge-4': { holdings: [] },
  };
  const guest = server('elsewhere', { holdings: [holding('alice', 2)] });
  const servers = [...whole.servers.map((each) => ({ ...each, ...changes[each.id] })), guest];
  const unknown = {
    stream: 'alice',
    rendition: 'source',
    parents: [{ id: 'edge-0', relayUrl: 'http://edge-0' }],
  };
  return { ...whole, servers, plan: { ...whole.plan, 'edge-5': { follows: [unknown], successors: {} } } };
}

/** One is nearly empty, one has not heard of it, one is empty, one was told to end and is late, one died of it. */
function drains(): Snapshot {
  const whole = twoSites();
  const drain = { ...DRAIN, sinceMs: NOW_MS - 100_000, deadlineMs: null };
  const wish = { sinceMs: NOW_MS - 2_000, deadlineMs: NOW_MS + 600_000 };
  const changes: Readonly<Record<string, object>> = {
    'edge-1': { drain: { ...drain, deadlineMs: NOW_MS + 3_725_000 }, holdings: [holding('alice', 1)] },
    'edge-3': { drain, holdings: [] },
    'edge-9': { beatAtMs: NOW_MS - 9_400, drain },
    origin: { drain: { sinceMs: NOW_MS - 90_000, deadlineMs: NOW_MS - 30_000, wished: false } },
  };
  const servers = whole.servers.map((each) => ({ ...each, ...changes[each.id] }));
  return { ...whole, servers, drains: { 'edge-2': wish, elsewhere: wish } };
}

function crowd(): Snapshot {
  const servers = Array.from({ length: 120 }, (_, index) => server(`s${String(index).padStart(3, '0')}`));
  const names = Array.from({ length: 25 }, (_, index) => `stream-${String(index).padStart(2, '0')}`);
  return snapshot(
    servers,
    names.map((name) => stream(name, 's000')),
  );
}

describe('the text of a cluster', () => {
  test('counts who watches recordings with the viewers of a server, and says of how many that is so', () => {
    const lines = statusText(snapshot([server('local', { vodViewers: 3 })], [])).split('\n');
    expect(lines[0]).toMatch(/^1 server, 0 streams, 0 viewers, 3 of recordings/);
    expect(lines.find((line) => line.startsWith('local'))).toMatch(/ 3 +0/);
  });

  test.each([
    [
      'one-process',
      snapshot(
        [server('local', { roles: ['origin', 'edge'], holdings: [holding('sample', 1)] })],
        [stream('sample', 'local')],
      ),
    ],
    ['two-sites', twoSites()],
    ['troubled', troubled()],
    ['drains', drains()],
    ['nothing', snapshot([], [])],
  ])('is that of status-%s.txt', async (name, of) => {
    await expect(statusText(of)).toMatchFileSnapshot(`../../../golden/status-${name}.txt`);
  });

  test('shows 100 servers and 20 streams at most, and says how many more there are', () => {
    const lines = statusText(crowd()).split('\n');
    expect(lines.filter((line) => /^s\d{3} /.test(line))).toHaveLength(100);
    expect(lines.filter((line) => line.startsWith('stream-'))).toHaveLength(20);
    expect(lines.filter((line) => line.startsWith('and '))).toEqual([
      'and 20 more, which --json has',
      'and 5 more, which --json has',
    ]);
  });

  test('comes to an end also of a plan that goes in circles', () => {
    const parents = (id: string) => ({
      follows: [{ stream: 'alice', rendition: 'source', parents: [{ id, relayUrl: `http://${id}` }] }],
      successors: {},
    });
    const circle = { a: parents('b'), b: parents('a'), origin: parents('origin') };
    const of = snapshot(
      ['a', 'b', 'origin'].map((id) => server(id)),
      [stream('alice', 'origin')],
      { plan: circle },
    );
    expect(statusText(of)).toContain('without a way to the origin:\n  · a (fra1) has nothing yet\n  · b');
  });
});
