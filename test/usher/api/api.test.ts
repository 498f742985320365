import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FIRST_NUMBERING } from '../../../network/feed/numbering.ts';
import type { RenditionRecord, ServerRecord, StreamRecord } from '../../../network/state/state.ts';
import { MemoryState } from '../../../network/state/state-memory.ts';
import { signToken, verifyToken } from '../../../network/token.ts';
import { SECRETS, UsherListener } from '../../tools/cluster/usher-listener.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { waitFor } from '../../tools/world/wait.ts';

const source: RenditionRecord = {
  name: 'source',
  codecs: 'avc1.64001f,mp4a.40.2',
  width: 1280,
  height: 720,
  frameRate: 29.97,
  peakBps: 4_200_000,
  averageBps: 4_000_400,
};
const server: ServerRecord = {
  id: 's1',
  instance: 'i1',
  roles: ['origin', 'edge'],
  site: 'site',
  host: 'host',
  mediaUrl: 'http://0.0.0.0:8081',
  relayUrl: 'http://0.0.0.0:8081',
  rtmpUrl: 'rtmp://0.0.0.0:1935/live',
  egressMbps: 1_000,
  sentMbps: 0,
  committedMbps: 0,
  uplinks: {},
  arrived: [],
  copyMs: 0,
  drain: null,
  thumbnails: ['alice'],
  holdings: [{ stream: 'alice', rendition: 'source', viewers: 3, arrivalsPerS: 0, next: 1, parent: null }],
};
const alice: StreamRecord = {
  name: 'alice',
  origin: 's1',
  term: 1,
  startedAtMs: 1_700_000_000_000,
  live: true,
  epoch: 1,
  lastMsn: 0,
  numbering: { ...FIRST_NUMBERING, msn: 1 },
  renditions: [source],
};
const radio: StreamRecord = {
  ...alice,
  name: 'radio',
  live: false,
  renditions: [{ ...source, width: 0, height: 0, frameRate: 0, codecs: 'mp4a.40.2' }],
};

// Its clock stands still from then on: the server beats once and lives.
const clock = new ManualClock();
const state = new MemoryState(clock);

let open: string;
let signed: string;
const listeners: UsherListener[] = [];
beforeAll(async () => {
  await state.beat(server, [alice, radio]);
  // By now a state has heard of all streams.
  clock.advance(1_600);
  for (const access of ['open', 'signed'] as const)
    listeners.push(await UsherListener.start({ state, access }));
  [open, signed] = listeners.map(({ url }) => url) as [string, string];
});
afterAll(() => Promise.all(listeners.map((listener) => listener[Symbol.asyncDispose]())));

const playToken = (stream: string, expiresAtMs = Date.now() + 60_000) =>
  signToken(SECRETS, { purpose: 'play', stream, expiresAtMs, session: '' });

describe('the multivariant playlist', () => {
  test('describes the rendition and points at the server, by the host that the viewer asked for', async () => {
    const answer = await fetch(`${open}/live/alice.m3u8`);
    expect(answer.headers.get('content-type')).toBe('application/vnd.apple.mpegurl');
    const [, , , steering, inf, url] = (await answer.text()).split('\n');
    expect(inf).toMatch(
      /^#EXT-X-STREAM-INF:BANDWIDTH=4200000,AVERAGE-BANDWIDTH=4000400,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=29.970,PATHWAY-ID="s1-[\w-]{6}",STABLE-VARIANT-ID="source"$/,
    );
    expect(steering).toMatch(
      /^#EXT-X-CONTENT-STEERING:SERVER-URI="\/steer\/[^/"]+\/alice\?pathways=(s1-[\w-]{6})",PATHWAY-ID="\1"$/,
    );
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:8081\/play\/[^/]+\/alice\/source\/index\.m3u8$/);
  });

  test('says nothing of pictures for an audio stream', async () => {
    expect(await (await fetch(`${open}/live/radio.m3u8`)).text()).not.toMatch(/RESOLUTION|FRAME-RATE/);
  });

  test('gives each viewer a session of their own, which names the uplink, in a token for this stream', async () => {
    const sessions = await Promise.all(
      [1, 2].map(async () => {
        const text = await (await fetch(`${open}/live/alice.m3u8`)).text();
        const token = /\/play\/([^/]+)\//.exec(text)![1]!;
        const verdict = verifyToken(SECRETS, token, { purpose: 'play', stream: 'alice', nowMs: Date.now() });
        expect(verdict.kind).toBe('valid');
        return verdict.kind === 'valid' && verdict.grant.session;
      }),
    );
    expect(sessions[0]).not.toBe(sessions[1]);
    expect(sessions[0]).toMatch(/^[\w-]{12}transit$/);
  });

  test('a stream whose first frame is on its way is held until it is there', async () => {
    const starting = { ...server, id: 's2', holdings: [] };
    const soon = { ...alice, name: 'soon', origin: 's2', renditions: [] };
    await state.beat(starting, [soon]);
    const answer = fetch(`${open}/live/soon.m3u8`);
    await state.beat(starting, [{ ...soon, renditions: [source] }]);
    expect((await answer).status).toBe(200);
    await state.beat(starting, []);
  });

  test('a stream that a state which was lost has yet to hear of is waited for', async () => {
    const lost = new MemoryState(new ManualClock());
    await using listener = await UsherListener.start({ state: lost });
    const answer = listener.get('/live/alice.m3u8');
    // Who asks after it has been answered.
    await listener.get('/api/time');
    await lost.beat(server, [alice]);
    expect((await answer).status).toBe(200);
  });
});

describe('progressive', () => {
  test('is a redirect to the server that keeps the place to go on from', async () => {
    const answer = await fetch(`${open}/live/alice.mp4?from=77`, { redirect: 'manual' });
    expect(answer.status).toBe(307);
    expect(answer.headers.get('location')).toMatch(
      /^http:\/\/127\.0\.0\.1:8081\/play\/[^/]+\/alice\/source\/live\.mp4\?from=77$/,
    );
  });
});

describe('signed playback', () => {
  test.each([
    ['no token', '', 'malformed'],
    ['an expired one', `?token=${playToken('alice', 1_000)}`, 'expired'],
    ['one for another stream', `?token=${playToken('radio')}`, 'not for playing'],
  ])('with %s is refused with the reason', async (_, query, reason) => {
    const answer = await fetch(`${signed}/live/alice.m3u8${query}`);
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([403, '*']);
    expect(((await answer.json()) as { detail: string }).detail).toContain(reason);
  });

  test('with the stream’s token plays, and no longer than the token says', async () => {
    const expiresAtMs = Math.ceil(Date.now() / 1000) * 1000 + 60_000;
    const answer = await fetch(`${signed}/live/alice.m3u8?token=${playToken('alice', expiresAtMs)}`);
    const token = /\/play\/([^/]+)\//.exec(await answer.text())![1]!;
    expect(verifyToken(SECRETS, token, { purpose: 'play', stream: 'alice', nowMs: 0 })).toMatchObject({
      grant: { expiresAtMs },
    });
  });
});

describe('the API', () => {
  test('lists the streams with what is known of them', async () => {
    expect(await (await fetch(`${open}/api/streams`)).json()).toEqual({
      streams: [
        {
          name: 'alice',
          live: true,
          startedAt: '2023-11-14T22:13:20.000Z',
          viewers: 3,
          thumbnail: expect.stringMatching(/^http:\/\/127\.0\.0\.1:8081\/thumb\/[^/]+\/alice\.jpg$/),
          renditions: [
            {
              name: 'source',
              codecs: 'avc1.64001f,mp4a.40.2',
              width: 1280,
              height: 720,
              frameRate: 29.97,
              bitrateKbps: 4000,
            },
          ],
        },
        expect.objectContaining({ name: 'radio', live: false, viewers: 0, thumbnail: null }),
      ],
    });
  });

  test('names a picture where playback is signed only to who may play, by an address that plays nothing', async () => {
    const pictureFor = async (query: string): Promise<string | null> => {
      const answer = await fetch(`${signed}/api/streams/alice${query}`);
      return ((await answer.json()) as { thumbnail: string | null }).thumbnail;
    };
    expect(await pictureFor('')).toBe(null);
    expect(await pictureFor(`?token=${playToken('radio')}`)).toBe(null);
    const token = /\/thumb\/([^/]+)\//.exec((await pictureFor(`?token=${playToken('alice')}`))!)![1]!;
    const isFor = (purpose: 'play' | 'picture'): string =>
      verifyToken(SECRETS, token, { purpose, stream: 'alice', nowMs: 0 }).kind;
    expect([isFor('play'), isFor('picture')]).toEqual(['refused', 'valid']);
  });

  test('gives operators alone the cluster as the state knows it', async () => {
    expect((await fetch(`${open}/api/cluster`)).status).toBe(401);
    const Authorization = `Bearer ${listeners[0]!.operators.tokenUntil(Number.MAX_SAFE_INTEGER)}`;
    const cluster = async () => (await fetch(`${open}/api/cluster`, { headers: { Authorization } })).json();
    // Ushers that report change it between two looks.
    await waitFor(async () => expect(await cluster()).toEqual(await state.snapshot()));
  });

  test('lists where to push, by the host that the encoder asked for', async () => {
    const { ingests } = (await (await fetch(`${open}/ingests`)).json()) as { ingests: object[] };
    const url_template = 'rtmp://127.0.0.1:1935/live/{stream_key}';
    expect(ingests).toContainEqual(expect.objectContaining({ name: 'site: s1', url_template }));
  });

  test.each(['/live/nobody.m3u8', '/live/nobody.mp4', '/api/streams/nobody', '/live/..%2f..%2fetc.m3u8'])(
    '%s is unknown: 404 as a problem document',
    async (path) => {
      const answer = await fetch(open + path, { redirect: 'manual' });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
    },
  );

  test('tells the time, for latency as seen by a viewer whose clock is off', async () => {
    const askedAtMs = Date.now();
    const { nowMs } = (await (await fetch(`${open}/api/time`)).json()) as { nowMs: number };
    expect(nowMs).toBeGreaterThanOrEqual(askedAtMs);
    expect(nowMs).toBeLessThanOrEqual(Date.now());
  });
});
