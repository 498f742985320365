import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { ScratchFolder } from '../../tools/world/scratch-folder.ts';

const SECRETS = ['a secret for the tests'];
const T = 1_800_000_000_000;
const [, STARTED] = recordingId('alice', T).split('.') as [string, string];

let scratch: ScratchFolder;
let server: HttpServer;
let commitments: Commitments;
const clock = new ManualClock();

beforeEach(async () => {
  scratch = await ScratchFolder.make();
  // A thousand bytes a second: 0.008 Mbps.
  await writeRecording({ folder: scratch.path, stream: 'alice', startedAtMs: T });
  const rates = new RecordedRates();
  commitments = new Commitments({
    egressMbps: 0.02,
    clock,
    bitrateMbps: (stream, rendition) => rates.mbps(stream, rendition),
    heaviestMbps: () => 0,
  });
  const sessions = new Sessions({
    clock,
    logger: keepingLogger(),
    metrics: new Metrics(),
    commitments,
    isDraining: () => false,
  });
  const shelf = new Shelf(new DirectoryStorage([scratch.path]), keepingLogger());
  const routes = vodRoutes({
    library: new Library({ shelves: [{ shelf, freshMs: 0, isHere: true }], clock }),
    authorise: createAccess({ secrets: SECRETS, clock }),
    sessions: sessions.vod,
    rates,
    signedUrls: 'never',
    isLive: () => false,
    clock,
  });
  server = await serveRoutes(routes);
});
afterEach(async () => {
  await server.close();
  await scratch[Symbol.asyncDispose]();
});

function get(session: string, path: string, headers: Record<string, string> = {}): Promise<Response> {
  const expiresAtMs = clock.now() + 60_000;
  const token = signToken(SECRETS, { purpose: 'play', stream: 'alice', expiresAtMs, session });
  return fetch(`http://127.0.0.1:${server.port}/vod/${token}/alice/${STARTED}/${path}`, { headers });
}

describe('who watches a recording', () => {
  test('is committed to by its bitrate as long as they ask for it, and one too many is refused', async () => {
    const statusOf = async (session: string, path: string): Promise<number> =>
      (await get(session, path)).status;
    expect(await statusOf('viewerAAAAAA', 'source/index.m3u8')).toBe(200);
    expect(await statusOf('viewerBBBBBB', 'source.0000000000.mp4')).toBe(200);
    // Two viewers, and a tenth of the server's egress that is kept for others.
    expect(commitments.mbps).toBeCloseTo(0.018, 4);
    expect(await statusOf('viewerCCCCCC', 'source/index.m3u8')).toBe(503);
    expect(await statusOf('viewerAAAAAA', 'source.0000000000.mp4')).toBe(200);
    clock.advance(59_000);
    expect(await statusOf('viewerAAAAAA', 'source.0000000000.mp4')).toBe(200);
    clock.advance(2_000);
    expect(await statusOf('viewerCCCCCC', 'source/index.m3u8')).toBe(200);
  });

  test('gets byte ranges of the recorded file as the playlist names them', async () => {
    const playlist = await (await get('viewerAAAAAA', 'source/index.m3u8')).text();
    const [, bytes, at] = [...playlist.matchAll(/#EXT-X-BYTERANGE:(\d+)@(\d+)/g)][2]!.map(Number) as [
      number,
      number,
      number,
    ];
    const range = { Range: `bytes=${at}-${at + bytes - 1}` };
    const answer = await get('viewerAAAAAA', 'source.0000000000.mp4', range);
    expect(answer.status).toBe(206);
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(Buffer.alloc(1_000, '2 '));
  });

  test.each(['video/index.m3u8', 'source.9999999999.mp4', 'video/1.mp4'])(
    'is told that there is no %s',
    async (path) => {
      expect((await get('viewerAAAAAA', path)).status).toBe(404);
    },
  );
});
