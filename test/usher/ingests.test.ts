import { expect, test } from 'vitest';
import type { KnownServer } from '../../network/state/state.ts';
import { ingestList } from '../../usher/ingests.ts';
import { DRAIN, NOW_MS, server, snapshot, stream } from '../tools/cluster/clusters.ts';

const origin = (id: string, changes: Partial<KnownServer> = {}): KnownServer =>
  server(id, { roles: ['origin'], ...changes });
const asItIs = (url: string): string => url;

test('lists who takes broadcasts, the emptiest first, as Twitch’s ingest list does', () => {
  const { ingests } = ingestList(
    snapshot(
      [
        origin('busy', { sentMbps: 700 }),
        origin('large', { sentMbps: 900, egressMbps: 10_000, site: 'ams1' }),
        origin('dead', { beatAtMs: NOW_MS - 3_000 }),
        origin('draining', { drain: DRAIN }),
        server('edge'),
      ],
      [],
    ),
    asItIs,
  );
  expect(ingests).toEqual([
    {
      _id: expect.any(Number),
      availability: 1,
      default: true,
      name: 'ams1: large',
      url_template: 'rtmp://large.example:1935/live/{stream_key}',
      priority: 1,
    },
    {
      _id: expect.any(Number),
      availability: 1,
      default: false,
      name: 'fra1: busy',
      url_template: 'rtmp://busy.example:1935/live/{stream_key}',
      priority: 2,
    },
  ]);
});

test('of servers that send as much the one with fewer broadcasts comes first', () => {
  const streams = [stream('one', 'a'), stream('two', 'a'), stream('three', 'b')];
  const { ingests } = ingestList(snapshot([origin('a'), origin('b'), origin('c')], streams), asItIs);
  expect(ingests.map(({ name }) => name)).toEqual(['fra1: c', 'fra1: b', 'fra1: a']);
});

test('a server keeps its number whoever else comes and goes, and has none of another’s', () => {
  const numbers = (ids: readonly string[]) =>
    new Map(
      ingestList(
        snapshot(
          ids.map((id) => origin(id)),
          [],
        ),
        asItIs,
      ).ingests.map(({ name, _id }) => [name, _id]),
    );
  const all = Array.from({ length: 1_000 }, (_, index) => `server-${index}`);
  expect(numbers(['server-7']).get('fra1: server-7')).toBe(numbers(all).get('fra1: server-7'));
  expect(new Set(numbers(all).values()).size).toBe(1_000);
});

test('says that a server takes RTMP over TLS only where it does', () => {
  const secure = origin('a', { rtmpUrl: 'rtmps://a.example:1936/live' });
  const { ingests } = ingestList(snapshot([secure, origin('b')], []), asItIs);
  expect(ingests[0]!.url_template_secure).toBe('rtmps://a.example:1936/live/{stream_key}');
  expect(ingests[1]).not.toHaveProperty('url_template_secure');
});
