#!/usr/bin/env node
// Headwater: reads the configuration, composes the roles into this process, runs until it is told to stop.

import { createEdge } from './edge/edge.ts';
import { systemClock as clock } from './network/clock.ts';
import { type Config, FLAGS_HELP, readConfig } from './network/config.ts';
import { CodedError, reasonOf } from './network/errors.ts';
import { Feeds } from './network/feeds.ts';
import { randomName } from './network/hash.ts';
import { healthRoutes } from './network/health.ts';
import { httpMetrics, listenHttp } from './network/http.ts';
import { createLogger, type Logger } from './network/logger.ts';
import { Member } from './network/member.ts';
import { Metrics } from './network/metrics.ts';
import { loadSecrets } from './network/secrets.ts';
import type { ServerRecord } from './network/state.ts';
import { MemoryState } from './network/state-memory.ts';
import { signToken } from './network/token.ts';
import { startOrigin } from './origin/origin.ts';
import { startSampleBroadcast } from './origin/sample/sample-broadcast.ts';
import { KEYS_HELP, makeKey } from './usher/keys.ts';
import { usherRoutes } from './usher/usher.ts';

const HELP = `headwater: a live video relay

  headwater [flags]                 run origin, edge and usher in this process
  headwater keys ...                make keys to publish and tokens to play

${FLAGS_HELP}
  --help                   show this

${KEYS_HELP}
`;

/** What one server is taken to be able to send. */
const EGRESS_MBPS = 1_000;
const SAMPLE_STREAM = 'sample';
/** The sample's key is made anew at each start. */
const SAMPLE_KEY_MS = 10 * 365 * 86_400_000;

export interface Running {
  readonly rtmpPort: number;
  readonly usherPort: number;
  readonly mediaPort: number;
  stop(): Promise<void>;
}

/**
 * Starts every role in this process, with embedded state. Rejects when a port is taken or the data folder can't be used.
 * What is opened later ends earlier: broadcasts end before the media listener, so that viewers get all there was.
 */
export async function start(config: Config, logger: Logger): Promise<Running> {
  await using opened = new AsyncDisposableStack();
  const metrics = new Metrics();
  metrics.collectProcess();
  const requests = httpMetrics(metrics);
  const secrets = await loadSecrets(config.secrets, config.data);
  const feeds = new Feeds({ windowMs: config.feed.windowS * 1000 });
  const state = new MemoryState(clock);
  const id = randomName(6);
  let member: Member | undefined;
  let isReady = false;
  const health = healthRoutes({ metrics, isReady: () => isReady });

  const edge = createEdge({ feeds, clock, logger, metrics, secrets, beatMs: config.playback.beatMs });
  const listenAt = (listener: string, port: number, routes: Parameters<typeof listenHttp>[0]['routes']) =>
    listenHttp({
      host: config.bind,
      port,
      routes: [...routes, ...health],
      clock,
      logger,
      metrics: requests(listener),
    });
  const media = await listenAt('media', config.mediaPort, edge.routes);
  opened.defer(() => media.close());

  const origin = await startOrigin({
    config,
    secrets,
    feeds,
    clock,
    logger,
    metrics,
    onChange: () => member?.announce(),
  });
  opened.defer(() => origin.close());
  const rtmpUrl = `rtmp://${hostIn(config.bind)}:${origin.port}/live`;

  const usher = await listenAt(
    'usher',
    config.usherPort,
    usherRoutes({ state, clock, secrets, access: config.playback.access, rtmpUrl }),
  );
  opened.defer(() => usher.close());

  const mediaUrl = config.mediaUrl ?? `http://${hostIn(config.bind)}:${media.port}`;
  member = new Member({
    state,
    clock,
    logger,
    describe: () => {
      const holdings = [...feeds.all()].map(({ stream, rendition, feed }) => ({
        stream,
        rendition,
        viewers: edge.sessions.viewersOf(stream),
        next: feed.next,
      }));
      const server: ServerRecord = {
        id,
        instance: id,
        roles: ['origin', 'edge'],
        site: 'local',
        host: 'local',
        mediaUrl,
        relayUrl: mediaUrl,
        rtmpUrl,
        egressMbps: EGRESS_MBPS,
        sentMbps: 0,
        draining: false,
        holdings,
      };
      // The only server needs no claim: whatever begins here is its own, from when it began.
      const streams = origin.streams().map((stream) => ({ ...stream, origin: id, term: stream.startedAtMs }));
      return { server, streams };
    },
  });
  opened.use(member);

  if (config.sample) {
    const expiresAtMs = clock.now() + SAMPLE_KEY_MS;
    const key = signToken(secrets, { purpose: 'publish', stream: SAMPLE_STREAM, expiresAtMs, session: '' });
    const host = isWildcard(config.bind) ? '127.0.0.1' : config.bind;
    const sample = startSampleBroadcast({ host, port: origin.port, name: SAMPLE_STREAM, key, clock, logger });
    opened.defer(() => sample.stop());
  }

  isReady = true;
  const roles = opened.move();
  const stop = async (): Promise<void> => {
    isReady = false;
    await roles.disposeAsync();
  };
  return { rtmpPort: origin.port, usherPort: usher.port, mediaPort: media.port, stop };
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

function hostIn(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(HELP);
    return;
  }
  if (args[0] === 'keys') {
    const [purpose, stream, ...rest] = args.slice(1);
    process.stdout.write(`${await makeKey({ purpose, stream, rest, clock })}\n`);
    return;
  }
  await run(readConfig(args));
}

/** A bad configuration, a taken port: words are enough, where they come from in the code is not of interest. */
function isExpected(error: unknown): boolean {
  return error instanceof CodedError || (error as NodeJS.ErrnoException).syscall === 'listen';
}

async function run(config: Config): Promise<void> {
  const logger = createLogger(config.log);
  const running = await start(config, logger);
  const { rtmpPort, usherPort, mediaPort } = running;
  logger.info({ rtmpPort, usherPort, mediaPort }, `ready: http://${hostIn(config.bind)}:${usherPort}/`);
  const signal = await new Promise<string>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT']) process.once(name, resolve);
  });
  logger.info({ signal }, 'stopping');
  await running.stop();
  logger.info({}, 'stopped');
}

if (import.meta.main) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(isExpected(error) ? reasonOf(error) : error);
    process.exitCode = 1;
  });
}
