// Pictures of live streams.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../network/clock.ts';
import { Feeds, SOURCE } from '../../network/feed/feeds.ts';
import { signToken } from '../../network/token.ts';
import { Darkroom } from '../../transcoder/darkroom.ts';
import { Thumbnails } from '../../transcoder/thumbnails.ts';
import { serveRoutes } from '../tools/cluster/serve-routes.ts';
import { hurried, publish } from '../tools/cluster/transcoding.ts';
import { readFlvFile } from '../tools/media/flv-file.ts';
import { clip, probe, sources, tone } from '../tools/media/media.ts';
import { keepingLogger } from '../tools/world/keeping-logger.ts';

const SECRETS = ['the secret of thumbnails'];
/** Pictures are due ten times as often, and have the time that they need. */
const clock: Clock = {
  ...hurried(10),
  monotonic: () => systemClock.monotonic() * 10,
  after: systemClock.after,
};
const feeds = new Feeds();
const darkroom = new Darkroom({
  config: { ffmpeg: 'ffmpeg', memoryMb: 2_000 },
  clock: systemClock,
  logger: keepingLogger(),
});
let thumbnails: Thumbnails;
let server: Awaited<ReturnType<typeof serveRoutes>>;

const grant = { purpose: 'picture', expiresAtMs: systemClock.now() + 60_000, session: '' } as const;
const ask = (stream: string, of = stream): Promise<Response> =>
  fetch(
    `http://127.0.0.1:${server.port}/thumb/${signToken(SECRETS, { ...grant, stream: of })}/${stream}.jpg`,
  );

beforeAll(async () => {
  thumbnails = new Thumbnails({
    sources: () => [...feeds.all()].map(({ stream, feed }) => [stream, feed] as const),
    picture: (media) => darkroom.thumbnail(media),
    clock,
    secrets: SECRETS,
  });
  server = await serveRoutes(thumbnails.routes);
});
afterAll(async () => {
  thumbnails[Symbol.dispose]();
  darkroom[Symbol.dispose]();
  await server.close();
});

test('a stream with a picture has one of its newest key frame, made anew when there is a newer one, and for who may see it', async () => {
  const encoded = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '30', '-c:a', 'aac', '-f', 'flv'];
  const messages = readFlvFile(clip('flv', [...sources({ seconds: 2 }), ...encoded]));
  const alice = feeds.open('alice', SOURCE);
  const numbering = publish(alice, messages);
  publish(
    feeds.open('radio', SOURCE),
    readFlvFile(clip('flv', [...tone({ seconds: 2 }), '-c:a', 'aac', '-f', 'flv'])),
  );
  await expect.poll(() => thumbnails.streams).toEqual(['alice']);
  const answer = await ask('alice');
  expect(answer.headers.get('content-type')).toBe('image/jpeg');
  const jpeg = new Uint8Array(await answer.arrayBuffer());
  expect(probe(jpeg).streams).toMatchObject([{ codec_name: 'mjpeg', width: 320, height: 180 }]);
  expect((await ask('radio')).status).toBe(404);
  expect((await ask('alice', 'radio')).status).toBe(403);
  const tag = answer.headers.get('etag');
  publish(
    alice,
    readFlvFile(clip('flv', [...sources({ seconds: 2, size: '160x120' }), ...encoded])),
    numbering,
  );
  await expect.poll(async () => (await ask('alice')).headers.get('etag')).not.toBe(tag);
  feeds.close('alice', SOURCE, 'over');
  await expect.poll(() => thumbnails.streams).toEqual([]);
});
