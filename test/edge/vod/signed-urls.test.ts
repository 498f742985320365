// Viewers who are sent to an S3-compatible store.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createAccess } from '../../../edge/access.ts';
import { Sessions } from '../../../edge/sessions/sessions.ts';
import { RecordedRates } from '../../../edge/vod/recorded-rates.ts';
import { type SignedUrls, vodRoutes } from '../../../edge/vod/vod.ts';
import { recordingId } from '../../../network/archive/index-file.ts';
import { Library } from '../../../network/archive/library.ts';
import { Shelf } from '../../../network/archive/shelf.ts';
import { StorageCache } from '../../../network/archive/storage-cache.ts';
import { DirectoryStorage } from '../../../network/archive/storage-directory.ts';
import { S3Storage } from '../../../network/archive/storage-s3.ts';
import { Commitments } from '../../../network/egress/commitments.ts';
import { Metrics } from '../../../network/metrics.ts';
import { signToken } from '../../../network/token.ts';
import { serveRoutes } from '../../tools/cluster/serve-routes.ts';
import { writeRecording } from '../../tools/media/recordings.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { S3Server } from '../../tools/world/s3-server.ts';
import { ScratchFolder } from '../../tools/world/scratch-folder.ts';

const SECRETS = ['a secret for the tests'];
const T = 1_800_000_000_000;
const ID = recordingId('alice', T);
const FILES = ['source.0000000000', 'source.0000000005'] as const;
const clock = new ManualClock();

let scratch: ScratchFolder;
let s3: S3Server;
let storage: S3Storage;

/** Two files are in the store, the second of them on this server's disk as well. */
beforeAll(async () => {
  scratch = await ScratchFolder.make();
  s3 = await S3Server.start(join(scratch.path, 's3'));
  storage = new S3Storage({ address: s3.address, fetch });
  for (const [at, name] of FILES.entries()) {
    const folder = join(scratch.path, at === 0 ? 'elsewhere' : 'disk');
    const path = await writeRecording({ folder, stream: 'alice', startedAtMs: T, msn: at * 5 });
    for (const end of ['.mp4', '.index']) await storage.upload(`${ID}/${name}${end}`, path + end);
  }
});
afterAll(async () => {
  await s3.close();
  await scratch[Symbol.asyncDispose]();
});

/** A server with room for one viewer of 0.008 Mbps, and a question to it. */
async function serverOf(signedUrls: SignedUrls, egressMbps = 0.01) {
  const rates = new RecordedRates();
  const commitments = new Commitments({
    egressMbps,
    clock,
    bitrateMbps: (stream, rendition) => rates.mbps(stream, rendition),
    heaviestMbps: () => 0,
  });
  const sessions = new Sessions({
    clock,
    metrics: new Metrics(),
    logger: keepingLogger(),
    commitments,
    isDraining: () => false,
  });
  const cache = new StorageCache({
    storage,
    folder: join(scratch.path, `cache-${signedUrls}`),
    maxBytes: 1e8,
  });
  const shelves = [
    { shelf: new Shelf(new DirectoryStorage([join(scratch.path, 'disk')]), keepingLogger()), isHere: true },
    { shelf: new Shelf(cache, keepingLogger()), isHere: false },
  ].map((each) => ({ ...each, freshMs: 0 }));
  const routes = vodRoutes({
    library: new Library({ shelves, clock }),
    authorise: createAccess({ secrets: SECRETS, clock }),
    sessions: sessions.vod,
    rates,
    signedUrls,
    isLive: () => false,
    clock,
  });
  const server = await serveRoutes(routes);
  const ask = (session: string, path: string, range?: string): Promise<Response> => {
    const grant = { purpose: 'play', stream: 'alice', expiresAtMs: clock.now() + 60_000, session } as const;
    const token = signToken(SECRETS, grant);
    const url = `http://127.0.0.1:${server.port}/vod/${token}/alice/${ID.slice(6)}/${path}`;
    return fetch(url, { redirect: 'manual', headers: range === undefined ? {} : { Range: range } });
  };
  return { ask, [Symbol.asyncDispose]: () => server.close() };
}

const addressIn = (answer: Response): string => {
  expect(answer.status).toBe(302);
  return answer.headers.get('location')!;
};

describe('a viewer is sent to the store', () => {
  test('always, where that is wanted, for what lies on no disk of the server', async () => {
    await using server = await serverOf('always', 10);
    expect((await server.ask('viewerAAAAAA', 'source/index.m3u8')).status).toBe(200);
    expect((await server.ask('viewerAAAAAA', `${FILES[1]}.mp4`)).status).toBe(200);
    const url = addressIn(await server.ask('viewerAAAAAA', `${FILES[0]}.mp4`, 'bytes=0-9'));
    expect(url.startsWith(`${s3.address.endpoint}/${ID}/${FILES[0]}.mp4?`)).toBe(true);
    const part = await fetch(url, { headers: { Range: 'bytes=7-1006' } });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(Buffer.alloc(1_000, '0 '));
    // This store looks at who signed and until when; the signature itself is compared with S3's own example below.
    const old = url.replace(/X-Amz-Date=\d{8}/, 'X-Amz-Date=20260101');
    const another = url.replace('X-Amz-Credential=S3RVER', 'X-Amz-Credential=NOBODY');
    for (const wrong of [old, another]) expect((await fetch(wrong)).status).toBe(403);
  });

  test('when the server is full, with a playlist of what is in the store', async () => {
    await using server = await serverOf('overflow');
    expect((await server.ask('viewerAAAAAA', `${FILES[0]}.mp4`)).status).toBe(200);
    expect((await server.ask('viewerBBBBBB', 'source/index.m3u8')).status).toBe(200);
    for (const file of FILES) addressIn(await server.ask('viewerBBBBBB', `${file}.mp4`));
    expect((await server.ask('viewerAAAAAA', `${FILES[0]}.mp4`)).status).toBe(200);
  });

  test('never, when nobody wants that', async () => {
    await using server = await serverOf('never');
    expect((await server.ask('viewerAAAAAA', `${FILES[0]}.mp4`)).status).toBe(200);
    for (const path of ['source/index.m3u8', `${FILES[0]}.mp4`])
      expect((await server.ask('viewerBBBBBB', path)).status).toBe(503);
  });
});

test('an address is signed as the example in the reference of S3 is', async () => {
  // Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters".
  vi.useFakeTimers({ now: Date.UTC(2013, 4, 24), toFake: ['Date'] });
  const example = new S3Storage({
    address: {
      endpoint: 'https://examplebucket.s3.amazonaws.com',
      region: 'us-east-1',
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    },
    fetch,
  });
  const url = new URL(await example.signedUrl('test.txt', 86_400));
  vi.useRealTimers();
  expect(url.searchParams.get('X-Amz-Signature')).toBe(
    'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  );
});
