import { describe, expect, test } from 'vitest';
import { STORAGE } from '../../../../network/archive/catalogue.ts';
import { MemoryCatalogue } from '../../../../network/archive/catalogue-memory.ts';
import { recordingId } from '../../../../network/archive/index-file.ts';
import { systemClock } from '../../../../network/clock.ts';
import { readTopology } from '../../../../network/map/topology-file.ts';
import type { ServerRecord } from '../../../../network/state/state.ts';
import { MemoryState } from '../../../../network/state/state-memory.ts';
import { verifyToken } from '../../../../network/token.ts';
import { serverRecord } from '../../../tools/cluster/cluster-records.ts';
import { SECRETS, UsherListener } from '../../../tools/cluster/usher-listener.ts';
import { catalogueEntry } from '../../../tools/media/recordings.ts';

const T = 1_795_213_440_000;
const ID = recordingId('alice', T);
const STARTED = ID.slice('alice.'.length);
const DRAIN = { sinceMs: 0, deadlineMs: null, wished: false };
const TOPOLOGY = readTopology(`
sites: {}
cdns:
  overflow: { urlTemplate: "https://cdn.example/{shield}{path}", pricePerGb: 0.01, capPerMonth: 100 }
`);

/** An usher of servers `a` and `b`, of which `a` has a recording. */
async function usherOver(changes: Partial<ServerRecord> = {}) {
  const state = new MemoryState(systemClock);
  const beat = (id: string, more: Partial<ServerRecord> = {}) =>
    state.beat(serverRecord(id, { ...changes, ...more }), []);
  await beat('a');
  await beat('b');
  const catalogue = new MemoryCatalogue();
  for (const keeper of ['a', STORAGE])
    await catalogue.note(catalogueEntry('alice', T, keeper, { endedAtMs: T }));
  const usher = await UsherListener.start({ state, catalogue, topology: TOPOLOGY });
  return { usher, beat, [Symbol.asyncDispose]: () => usher[Symbol.asyncDispose]() };
}

interface Variants {
  readonly steering: string;
  readonly ids: readonly string[];
  readonly urls: readonly string[];
}

async function variants(usher: UsherListener): Promise<Variants> {
  const text = await (await usher.get(`/vod/${ID}.m3u8`)).text();
  return {
    steering: /SERVER-URI="([^"]+)"/.exec(text)![1]!,
    ids: [...text.matchAll(/#EXT-X-STREAM-INF:.*PATHWAY-ID="([^"]+)"/g)].map(([, id]) => id!),
    urls: text.match(/^https?:.*$/gm) ?? [],
  };
}

interface List {
  readonly TTL: number;
  readonly 'PATHWAY-PRIORITY': readonly string[];
}

async function steered(usher: UsherListener, { steering }: Variants, at: string): Promise<List> {
  const answer = await usher.get(`${steering}&_HLS_pathway="${at}"`);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    200,
    'application/vnd.apple.steering-list',
  ]);
  return (await answer.json()) as List;
}

describe('who watches a recording', () => {
  test('gets a pathway to a server that has it, with a token for the stream, and another to one that reads it', async () => {
    await using opened = await usherOver();
    const { urls } = await variants(opened.usher);
    const paths = urls.map((url) => /^https:\/\/(.)\.media[^/]*\/vod\/([^/]+)\/(.+)$/.exec(url)!);
    expect(paths.map(([, server, , path]) => [server, path])).toEqual(
      ['a', 'b'].map((id) => [id, `alice/${STARTED}/source/index.m3u8`]),
    );
    const wanted = { purpose: 'play', stream: 'alice', nowMs: systemClock.now() } as const;
    for (const [, , token] of paths) expect(verifyToken(SECRETS, token!, wanted).kind).toBe('valid');
  });

  test('stays where it is until that is emptied, and then goes to the other', async () => {
    await using opened = await usherOver();
    const { usher, beat } = opened;
    const known = await variants(usher);
    const [first = '', second = ''] = known.ids;
    expect(await steered(usher, known, first)).toMatchObject({
      TTL: 10,
      'PATHWAY-PRIORITY': [first, second],
    });
    expect(await steered(usher, known, second)).toMatchObject({ 'PATHWAY-PRIORITY': [second, first] });
    await beat('a', { drain: DRAIN });
    expect(await steered(usher, known, first)).toMatchObject({ TTL: 2, 'PATHWAY-PRIORITY': [second, first] });
    const { urls } = await variants(usher);
    expect(urls).toHaveLength(1);
  });

  test('goes by way of a CDN when no server has room, to an address that is the same for all', async () => {
    await using opened = await usherOver({ egressMbps: 10, committedMbps: 9 });
    const [one, other] = [await variants(opened.usher), await variants(opened.usher)];
    expect(one.urls[0]).toMatch(/^https:\/\/cdn\.example\/a\/vod\/[^/]+\/alice\/[^/]+\/source\/index\.m3u8$/);
    expect(one.urls).toEqual(other.urls);
  });

  test('is promised room, so that a crowd is not sent where only some of it fits', async () => {
    await using opened = await usherOver({ egressMbps: 10 });
    const firsts: (string | undefined)[] = [];
    for (let viewer = 0; viewer < 6; viewer++)
      firsts.push((await variants(opened.usher)).urls[0]?.replace(/^https:\/\/(a|b|cdn)\..*$/, '$1'));
    expect(firsts).toEqual(['a', 'a', 'b', 'b', 'cdn', 'cdn']);
  });

  test('is told when a steering token is none, or the recording is gone', async () => {
    await using opened = await usherOver();
    const { steering } = await variants(opened.usher);
    expect((await opened.usher.get(steering.replace(/\/steer\/[^/]+/, '/steer/forged'))).status).toBe(403);
    expect((await opened.usher.get(steering.replace(STARTED, 'mwpiww0'))).status).toBe(404);
  });

  test('gets pictures of what has some from a server', async () => {
    await using opened = await usherOver();
    const answer = await opened.usher.get(`/vod/${ID}.jpg`, { redirect: 'manual' });
    expect(answer.status).toBe(302);
    expect(answer.headers.get('location')).toMatch(
      new RegExp(`^https://a\\.media.*/vod/[^/]+/alice/${STARTED}/thumbnail\\.jpg$`),
    );
  });
});
