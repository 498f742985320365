// What befalls a cluster in namespaces: its network, its names, its clocks, its disk, its processes.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, statfsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { LinkShape } from '../../tools/world/link.ts';
import type { NameService } from '../../tools/world/name-server.ts';
import { HOME } from '../../tools/world/namespaces.ts';
import { EU, type Fault, STATE, type Stage, US } from './stage.ts';

const HOUR_S = 3_600;

const between = (name: string, shape: LinkShape): Fault => ({
  name,
  befall({ network }) {
    network.shape(EU, US, shape);
    return () => network.shape(EU, US, {});
  },
});

export const FAULTS: readonly Fault[] = [
  between('80 ms from site to site', { delayMs: 80 }),
  between('1 % of packets lost between sites, 40 ms', { delayMs: 40, lossShare: 0.01 }),
  between('5 % of packets lost between sites, 40 ms', { delayMs: 40, lossShare: 0.05 }),
  between('every tenth packet goes before others, 40 ms', { delayMs: 40, reorderShare: 0.1 }),
  between('20 ms of jitter, 40 ms', { delayMs: 40, jitterMs: 20 }),
  between('half the bandwidth that the stream needs', { delayMs: 40, kbps: 700 }),
  between('partition between two sites', { isCut: true }),
  {
    name: 'partition of a site from the others and from Redis',
    befall({ network }) {
      for (const other of [EU, STATE]) network.shape(US, other, { isCut: true });
      return () => {
        for (const other of [EU, STATE]) network.shape(US, other, {});
      };
    },
  },
  {
    name: 'Redis answers 200 ms later',
    befall({ network }) {
      for (const site of [HOME, EU, US]) network.shape(site, STATE, { delayMs: 100 });
      return () => {
        for (const site of [HOME, EU, US]) network.shape(site, STATE, {});
      };
    },
  },
  ...[HOUR_S, -HOUR_S].map((stepS) => ({
    name: `the clocks of all servers jump ${stepS > 0 ? 'ahead' : 'back'} by an hour`,
    befall(stage: Stage) {
      stage.setClocks(stepS);
      return () => stage.setClocks(0);
    },
  })),
  {
    name: 'names are not resolved (no answer), and connections to Redis are lost',
    async befall(stage) {
      const mend = withoutNames(stage, 'is silent');
      const redis = stage.cluster.redis.client();
      for (const type of ['normal', 'pubsub'] as const) await redis.call('CLIENT', 'KILL', 'TYPE', type);
      redis.disconnect();
      return mend;
    },
  },
  {
    name: 'names are not resolved (SERVFAIL), and a parent stands still for 2 s',
    async befall(stage) {
      const mend = withoutNames(stage, 'fails');
      await standStill(stage);
      return mend;
    },
  },
  {
    name: 'a parent stands still for 2 s',
    async befall(stage) {
      await standStill(stage);
      return () => {};
    },
  },
  {
    name: 'a parent has no file descriptors left',
    async befall({ cluster, inner }) {
      const { pid, mediaUrl } = cluster.server(inner);
      await limitDescriptors(pid, 64);
      const { hostname, port } = new URL(mediaUrl);
      const flood = Array.from({ length: 200 }, () => connect(Number(port), hostname).on('error', () => {}));
      return async () => {
        for (const socket of flood) socket.destroy();
        await limitDescriptors(pid, 4_096);
      };
    },
  },
  {
    name: 'an error in a parent that nobody catches',
    losesParent: true,
    befall({ cluster, inner }) {
      cluster.server(inner).signal('SIGUSR2');
      return () => {};
    },
  },
  {
    name: 'the disk of the origin is full',
    befall({ disk }) {
      const file = join(disk, 'full');
      const { bavail, bsize } = statfsSync(disk);
      execFileSync('fallocate', ['-l', String(bavail * bsize), file]);
      return () => rmSync(file);
    },
  },
];

/** From now on; those that are connected stay so. */
function withoutNames({ names }: Stage, service: NameService): () => void {
  names.service = service;
  return () => {
    names.service = 'answers';
  };
}

async function standStill({ cluster, inner }: Stage): Promise<void> {
  cluster.server(inner).signal('SIGSTOP');
  await delay(2_000);
  cluster.server(inner).signal('SIGCONT');
}

async function limitDescriptors(pid: number, count: number): Promise<void> {
  await once(spawn('prlimit', ['--pid', String(pid), `--nofile=${count}:65536`]), 'exit');
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
