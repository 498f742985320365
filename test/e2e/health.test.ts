// What load balancers and Kubernetes hear of a server and an usher from their first moment on, whatever becomes of Redis.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../network/config/config.ts';
import type { Condition } from '../../network/http/health.ts';
import { type Parts, type Running, start } from '../../server.ts';
import { RedisServer } from '../tools/cluster/redis-server.ts';
import { keepingLogger } from '../tools/world/keeping-logger.ts';
import { ScratchFolder } from '../tools/world/scratch-folder.ts';
import { waitFor } from '../tools/world/wait.ts';

let opened: AsyncDisposableStack;
let folder: ScratchFolder;
let redis: RedisServer;
let server: Running;
let usher: Running;

beforeAll(async () => {
  opened = new AsyncDisposableStack();
  folder = opened.use(await ScratchFolder.make());
  redis = opened.use(await RedisServer.start());
  await redis.stop();
  [server, usher] = await Promise.all([open('server'), open('usher')]);
});
afterAll(() => opened.disposeAsync());

async function open(parts: Parts): Promise<Running> {
  const file = join(folder.path, `${parts}.yaml`);
  const state = { redis: { addresses: [redis.hostAndPort] } };
  const ports = { rtmpPort: 0, mediaPort: 0, usherPort: 0 };
  writeFileSync(file, JSON.stringify({ id: parts, state, data: join(folder.path, parts), ...ports }));
  const running = await start(readConfig({ config: file }, {}), keepingLogger(), parts);
  opened.defer(() => running.stop());
  return running;
}

interface Readiness {
  readonly ready: boolean;
  readonly conditions: readonly Condition[];
}

/** What both say, that their status says the same, and that both are alive. */
async function heard(): Promise<readonly string[]> {
  return Promise.all(
    [server.mediaPort, usher.usherPort].map(async (port) => {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
      const { ready, conditions } = (await answer.json()) as Readiness;
      expect(answer.status).toBe(ready ? 200 : 503);
      expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
      return [ready ? 'ready' : 'not ready', ...conditions.map(({ code }) => code)].join(', ');
    }),
  );
}

async function untilHeard(...wanted: readonly [server: string, usher: string]): Promise<void> {
  await waitFor(async () => expect(await heard()).toEqual(wanted));
}

test('without a cluster they are not ready; once they had one they stay so without it, until they are emptied', async () => {
  await untilHeard('not ready, state_never_reached', 'not ready, state_never_reached');
  await redis.restart();
  await untilHeard('ready', 'ready');
  await redis.stop();
  await untilHeard('ready, state_away', 'ready, state_away');
  await redis.restart();
  await untilHeard('ready', 'ready');
  server.draining!.order(null);
  expect(await heard()).toEqual(['not ready, draining', 'ready']);
});
