import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAlive } from '../../network/state/liveness.ts';
import { type ServerPlace, TestCluster, until } from '../tools/cluster/test-cluster.ts';
import { Broadcaster } from '../tools/rtmp/broadcaster.ts';
import { launchChromium } from '../tools/viewers/chromium.ts';
import { HlsPage } from '../tools/viewers/hls-page.ts';
import { HlsSession } from '../tools/viewers/hls-session.ts';
import { freePort } from '../tools/world/free-port.ts';
import { NginxCdn } from '../tools/world/nginx-cdn.ts';
import { lastingFile } from '../tools/world/scratch-folder.ts';

// hls.js as it comes, which knows nothing of Headwater, is moved in each way there is while it plays.

const EDGE: ServerPlace = { site: 'local', roles: ['edge'], egressMbps: 15 };
const VIEWER_MBPS = 1.4;
/** Far more than the only edge left has room for: those who do not fit are served by the CDN. */
const CROWD = 16;

let cdnPort: number;
let cluster: TestCluster;
let broadcaster: Broadcaster;
let browser: Browser;
let page: HlsPage;

beforeAll(async () => {
  cdnPort = await freePort();
  const topology = lastingFile('topology.yaml', topologyText());
  const servers = { o1: { site: 'local', roles: ['origin'] as const }, e1: EDGE };
  cluster = await TestCluster.start({ servers, ushers: ['u1'], usherConfig: { map: { topology } } });
  broadcaster = new Broadcaster(cluster.publishUrl('o1'));
  browser = await launchChromium();
  await cluster.server('o1').logged((line) => line.msg === 'on air');
  page = await HlsPage.open(browser, cluster.playUrl);
});
afterAll(async () => {
  await browser?.close();
  await broadcaster?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

function topologyText(): string {
  const transit = { kind: 'transit', capacityMbps: 10_000, pricePerMbpsMonth: 0.3 };
  const urlTemplate = `http://127.0.0.1:${cdnPort}/{shield}{path}`;
  const overflow = { urlTemplate, pricePerGb: 0.01, capPerMonth: 1_000, shields: 1 };
  return JSON.stringify({ sites: { local: { uplinks: { transit } } }, cdns: { overflow } });
}

function hostOf(id: string): string {
  return new URL(cluster.server(id).mediaUrl).host;
}

async function untilServedBy(host: string): Promise<void> {
  await until(
    () => `${host} serves, and not ${page.host}`,
    () => page.host === host,
  );
}

/** It shows two seconds more of a stream, and hls.js found nothing fatal. */
async function expectPlaysOn(viewer: HlsPage): Promise<void> {
  const { framesShown } = await viewer.figures();
  await until(
    () => 'the page plays on',
    async () => (await viewer.figures()).framesShown > framesShown + 60,
  );
  expect((await viewer.figures()).errors).toEqual([]);
}

describe('a viewer in Chromium plays on', () => {
  test('when its server is drained, at one that was not there when it came', async () => {
    expect(page.host).toBe(hostOf('e1'));
    await cluster.startServer('e2', EDGE);
    await page.begin();
    await cluster.drain('e1');
    await untilServedBy(hostOf('e2'));
    await expectPlaysOn(page);
  });

  test('when its server is killed', async () => {
    await cluster.startServer('e3', EDGE);
    await until(
      () => `the player knows the way to e3, and not only ${page.pathways}`,
      () => page.pathways.some((id) => id.startsWith('e3-')),
    );
    await page.begin();
    await cluster.kill('e2');
    await untilServedBy(hostOf('e3'));
    await expectPlaysOn(page);
  });

  test('by the CDN when nobody has room, and comes back when somebody has', async () => {
    await until(
      () => 'the server that was killed is known to be dead',
      async () => {
        const snapshot = await cluster.snapshot();
        return snapshot.servers.every(({ id, beatAtMs }) => id !== 'e2' || !isAlive(beatAtMs, snapshot));
      },
    );
    await using cdn = await NginxCdn.start(cdnPort, { e3: cluster.server('e3').mediaUrl });
    const usherUrl = new URL(cluster.playUrl).origin;
    const crowd = Array.from(
      { length: CROWD },
      () => new HlsSession({ usherUrl, stream: 'alice', askEveryMs: 2_000 }),
    );
    await until(
      () => `the crowd has come: ${JSON.stringify(crowd.map(({ place, failures }) => [place, failures]))}`,
      () => crowd.every(({ place }) => typeof place === 'object'),
    );
    await until(
      () => 'the edge has no room for one more',
      async () => {
        const edge = (await cluster.snapshot()).servers.find(({ id }) => id === 'e3')!;
        return edge.committedMbps + VIEWER_MBPS > edge.egressMbps;
      },
    );
    await using late = await HlsPage.open(browser, cluster.playUrl);
    const cdnHost = new URL(cdn.url).host;
    await until(
      () => `the late viewer is served by the CDN, and not by ${late.host}`,
      () => late.host === cdnHost,
    );
    await late.begin();
    await Promise.all(crowd.map((one) => one.leave()));
    await until(
      () => 'the late viewer is back',
      () => late.host === hostOf('e3'),
    );
    await expectPlaysOn(late);
  });
});
