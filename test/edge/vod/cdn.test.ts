// Recordings by way of a real nginx as CDN, configured as the example says.

import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAccess } from '../../../edge/access.ts';
import { Sessions } from '../../../edge/sessions/sessions.ts';
import { RecordedRates } from '../../../edge/vod/recorded-rates.ts';
import { vodRoutes } from '../../../edge/vod/vod.ts';
import { recordingId } from '../../../network/archive/index-file.ts';
import { Library } from '../../../network/archive/library.ts';
import { Shelf } from '../../../network/archive/shelf.ts';
import { DirectoryStorage } from '../../../network/archive/storage-directory.ts';
import { Commitments } from '../../../network/egress/commitments.ts';
import type { HttpServer } from '../../../network/http/http.ts';
import { Metrics } from '../../../network/metrics.ts';
import { signToken } from '../../../network/token.ts';
import { serveRoutes } from '../../tools/cluster/serve-routes.ts';
import { writeRecording } from '../../tools/media/recordings.ts';
import { freePort } from '../../tools/world/free-port.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { NginxCdn } from '../../tools/world/nginx-cdn.ts';
import { ScratchFolder } from '../../tools/world/scratch-folder.ts';

const SECRETS = ['a secret for the tests'];
const T = 1_800_000_000_000;
const ID = recordingId('alice', T);
const clock = new ManualClock();

let scratch: ScratchFolder;
let server: HttpServer;
let cdn: NginxCdn;
let bytesRead = 0;

beforeAll(async () => {
  scratch = await ScratchFolder.make();
  await writeRecording({
    ...{ folder: join(scratch.path, 'disk'), stream: 'alice', startedAtMs: T },
    ...{ segments: 10, segmentBytes: 1_000_000 },
  });
  const disk = new DirectoryStorage([join(scratch.path, 'disk')]);
  const counted = {
    list: (prefix: string) => disk.list(prefix),
    read: async (key: string, from: number, to: number) => {
      bytesRead += to - from;
      return disk.read(key, from, to);
    },
  };
  const logger = keepingLogger();
  const rates = new RecordedRates();
  const bitrateMbps = (stream: string, rendition: string): number => rates.mbps(stream, rendition);
  const commitments = new Commitments({ egressMbps: 1_000, clock, bitrateMbps, heaviestMbps: () => 0 });
  const metrics = new Metrics();
  const sessions = new Sessions({ clock, metrics, logger, commitments, isDraining: () => false });
  const shelves = [{ shelf: new Shelf(counted, logger), freshMs: 10_000, isHere: true }];
  server = await serveRoutes(
    vodRoutes({
      library: new Library({ shelves, clock }),
      authorise: createAccess({ secrets: SECRETS, clock }),
      sessions: sessions.vod,
      rates,
      signedUrls: 'never',
      isLive: () => false,
      clock,
    }),
  );
  cdn = await NginxCdn.start(await freePort(), { a: `http://127.0.0.1:${server.port}` });
});
afterAll(async () => {
  await cdn?.[Symbol.asyncDispose]();
  await server?.close();
  await scratch?.[Symbol.asyncDispose]();
});

test('a seek into a recorded file takes a slice or two of it from the server, and the next viewer takes none', async () => {
  const grant = { purpose: 'play', stream: 'alice', expiresAtMs: clock.now() + 60_000, session: '' } as const;
  const base = `${cdn.url}/a/vod/${signToken(SECRETS, grant)}/alice/${ID.slice(6)}`;
  const playlist = await fetch(`${base}/source/index.m3u8`);
  expect([playlist.status, await playlist.text()]).toEqual([200, expect.stringContaining('#EXT-X-ENDLIST')]);
  bytesRead = 0;
  const seek = async (): Promise<Buffer> => {
    const headers = { Range: 'bytes=7000007-7999999' };
    const answer = await fetch(`${base}/source.0000000000.mp4`, { headers });
    expect([answer.status, answer.headers.get('content-range')]).toEqual([
      206,
      'bytes 7000007-7999999/10000007',
    ]);
    return Buffer.from(await answer.arrayBuffer());
  };
  expect((await seek()).equals(Buffer.alloc(1_000_000, '7 ').subarray(0, 999_993))).toBe(true);
  expect(bytesRead).toBeLessThanOrEqual(2 * 1024 * 1024);
  const before = bytesRead;
  await seek();
  expect(bytesRead).toBe(before);
});
