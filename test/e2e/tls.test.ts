// Everything over TLS: a broadcaster by RTMPS, servers that follow each other with certificates, a browser by HTTPS.

import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RedisServer } from '../tools/cluster/redis-server.ts';
import { ServerProcess } from '../tools/cluster/server-process.ts';
import { Broadcaster } from '../tools/rtmp/broadcaster.ts';
import { launchChromium, openPage, untilStatus } from '../tools/viewers/chromium.ts';
import { makeCertificate } from '../tools/world/certificate.ts';
import { freePort } from '../tools/world/free-port.ts';
import { lastingFile } from '../tools/world/scratch-folder.ts';

const certificate = makeCertificate('cluster.example');
const dispatcher = new Agent({ connect: { ca: readFileSync(certificate.certFile) } });
const KEY = 'open-sesame';
const relayPorts = { origin: await freePort(), edge: await freePort() };
let redis: RedisServer;
let origin: ServerProcess;
let edge: ServerProcess;
let broadcaster: Broadcaster;
let browser: Browser;

beforeAll(async () => {
  redis = await RedisServer.start();
  origin = await start('origin', []);
  edge = await start('edge', ['server']);
  const { rtmpsPort } = await origin.logged(({ msg }) => msg.startsWith('ready'));
  broadcaster = new Broadcaster(`rtmps://127.0.0.1:${rtmpsPort}/live/alice?key=${KEY}`);
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await broadcaster?.[Symbol.asyncDispose]();
  await Promise.all([origin, edge].map((server) => server?.end('SIGINT')));
  await redis?.[Symbol.asyncDispose]();
  await dispatcher.close();
});

test('a stream is pushed by RTMPS, followed by a server that shows its certificate, and played by HTTP/2', async () => {
  await origin.logged(({ msg }) => msg === 'on air');
  const { page, faults } = await openPage(browser, `${secure(origin.url)}/watch/alice`, {
    ignoreHTTPSErrors: true,
  });
  await untilStatus(page, 'playing', ({ state }) => state === 'playing', 20_000);
  const protocols = await page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .map((entry) => (entry as PerformanceResourceTiming).nextHopProtocol),
  );
  expect(new Set(protocols)).toEqual(new Set(['h2']));
  expect(faults).toEqual([]);

  const media = /https:\S+source\/index\.m3u8/.exec(await get(`${secure(origin.url)}/live/alice.m3u8`))![0];
  const { pathname } = new URL(media);
  expect(await get(`${secure(edge.mediaUrl)}${pathname}`)).toContain('#EXT-X-PART');

  // Who has no certificate of the cluster's does not come as far as to be refused.
  await edge.logged(({ msg }) => msg === 'following');
  await expect(get(`https://127.0.0.1:${relayPorts.origin}/healthz`)).rejects.toThrow(/certificate/);
  const shown = { cert: readFileSync(certificate.certFile), key: readFileSync(certificate.keyFile) };
  const asServer = new Agent({ connect: { ...shown, ca: shown.cert } });
  const { statusCode } = await request(`https://127.0.0.1:${relayPorts.origin}/healthz`, {
    dispatcher: asServer,
  });
  expect(statusCode).toBe(200);
  await asServer.close();
});

function start(id: 'origin' | 'edge', command: readonly string[]): Promise<ServerProcess> {
  const { certFile, keyFile } = certificate;
  const config = {
    id,
    roles: id === 'origin' ? ['origin', 'edge'] : ['edge'],
    sample: false,
    secrets: ['the secret of a cluster under test'],
    state: { redis: { addresses: [redis.hostAndPort] } },
    publish: { keys: [{ stream: 'alice', key: KEY }] },
    tls: { certFile, keyFile, rtmpsPort: 0 },
    relayTls: { port: relayPorts[id], certFile, keyFile, caFile: certFile },
  };
  const file = lastingFile(`${id}.yaml`, JSON.stringify(config));
  return ServerProcess.start(['--config', file], {}, command);
}

function secure(url: string): string {
  return url.replace(/^http:/, 'https:');
}

async function get(url: string): Promise<string> {
  const { statusCode, body } = await request(url, { dispatcher });
  const text = await body.text();
  expect(statusCode, text).toBe(200);
  return text;
}
