// Headwater: reads the configuration, composes the roles into this process, runs until it is told to stop.

import { createEdge, type Edge } from './edge/edge.ts';
import type { Catalogue } from './network/archive/catalogue.ts';
import { MemoryCatalogue } from './network/archive/catalogue-memory.ts';
import { RedisCatalogue } from './network/archive/catalogue-redis.ts';
import { openStores, type Stores } from './network/archive/stores.ts';
import { systemClock as clock } from './network/clock.ts';
import { Commitments } from './network/commitments.ts';
import { type Config, FLAGS_HELP, readConfig } from './network/config/config.ts';
import { loadSecrets } from './network/config/secrets.ts';
import { Egress } from './network/egress.ts';
import { CodedError, reasonOf } from './network/errors.ts';
import type { Feed } from './network/feed/feed.ts';
import { Feeds, SOURCE } from './network/feed/feeds.ts';
import { averageMbps, heaviestMbps } from './network/feed/rendition.ts';
import { randomName } from './network/hash.ts';
import { dial, getText, probe, sendOrder } from './network/http/dial.ts';
import { healthRoutes } from './network/http/health.ts';
import { type HttpServer, httpMetrics, listenHttp, type Route } from './network/http/http.ts';
import { createLogger, type Logger } from './network/logger.ts';
import { Metrics } from './network/metrics.ts';
import { Holdings } from './network/relay/holdings.ts';
import { relayRoutes } from './network/relay/relay-server.ts';
import { Draining } from './network/state/draining.ts';
import { Member } from './network/state/member.ts';
import { catchUp, claimStream } from './network/state/ownership.ts';
import { RedisLink } from './network/state/redis/redis.ts';
import { RedisState } from './network/state/redis/state-redis.ts';
import type {
  BeatAnswer,
  ClusterState,
  KnownServer,
  ServerRecord,
  Whereabouts,
} from './network/state/state.ts';
import { MemoryState } from './network/state/state-memory.ts';
import { Successors } from './network/state/successors.ts';
import { signToken } from './network/token.ts';
import { Archive } from './origin/archive/archive.ts';
import { createPace } from './origin/archive/keeping/pace.ts';
import { ownerRoutes } from './origin/archive/owners/owner-routes.ts';
import { createPolicy } from './origin/archive/policy.ts';
import { ARCHIVE_HELP, seeToArchive } from './origin/commands/archive.ts';
import { type Origin, startOrigin } from './origin/origin.ts';
import { startSampleBroadcast } from './origin/sample/sample-broadcast.ts';
import type { JobFeeds } from './transcoder/job.ts';
import { openTranscoder, type Transcoder } from './transcoder/transcoder.ts';
import { DRAIN_HELP, orderDrain } from './usher/commands/drain.ts';
import { EXPLAIN_HELP, readExplanation } from './usher/commands/explain.ts';
import { KEYS_HELP, makeKey } from './usher/commands/keys.ts';
import { handleRecordings, RECORDINGS_HELP } from './usher/commands/recordings.ts';
import { SIMULATE_HELP, simulate } from './usher/commands/simulate.ts';
import { readStatus, STATUS_HELP } from './usher/commands/status.ts';
import { openUsher } from './usher/usher.ts';

const HELP = `headwater: a live video relay

  headwater [flags]                 run a server and an usher in this process
  headwater server [flags]          run one server of a cluster
  headwater usher [flags]           run one usher of a cluster; they meet in the state that the file of --config names
  headwater status ...              how a cluster is
  headwater explain ...             where a viewer would be sent, and why
  headwater drain ..., undrain ...  empty a server before work on it, and use it again
  headwater keys ...                make keys to publish, tokens to play and to operate
  headwater recordings ...          what is recorded of a stream; keep it, delete it, cut clips
  headwater archive ...             see to the recordings on this machine and in storage
  headwater simulate ...            try placement on viewers who are not there

${FLAGS_HELP}
  --help                   show this

${STATUS_HELP}

${EXPLAIN_HELP}

${DRAIN_HELP}

${KEYS_HELP}

${RECORDINGS_HELP}

${ARCHIVE_HELP}

${SIMULATE_HELP}
`;

const SAMPLE_STREAM = 'sample';
/** The sample's key is made anew at each start. */
const SAMPLE_KEY_MS = 10 * 365 * 86_400_000;

/** What every role of a process shares. What is opened later ends earlier. */
interface Base {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly secrets: readonly string[];
  readonly state: ClusterState;
  readonly catalogue: Catalogue;
  readonly opened: AsyncDisposableStack;
  listen(listener: string, port: number, routes: readonly Route[]): Promise<HttpServer>;
}

export interface Running {
  /** 0 where the process has no such listener. */
  readonly rtmpPort: number;
  readonly usherPort: number;
  readonly mediaPort: number;
  /** Of the server in this process, if there is one. */
  readonly draining: Draining | undefined;
  /** Resolves when the server can't be one, because another process has its id. */
  readonly taken: Promise<CodedError>;
  stop(): Promise<void>;
}

export type Parts = 'server' | 'usher' | 'both';

/** Starts what is wanted. Rejects when a port is taken or the data folder can't be used. */
export async function start(config: Config, logger: Logger, parts: Parts): Promise<Running> {
  await using opened = new AsyncDisposableStack();
  let isReady = false;
  const base = await openBase(config, logger, opened, () => isReady && !server?.draining.isOn);
  const server = parts === 'usher' ? undefined : await openServer(base);
  const usher = parts === 'server' ? undefined : await serveUsher(base, server?.rtmpUrl);
  if (server && parts === 'both' && config.sample) openSample(base, server);
  isReady = true;
  const roles = opened.move();
  const stop = async (): Promise<void> => {
    isReady = false;
    await roles.disposeAsync();
  };
  const { rtmpPort = 0, mediaPort = 0, draining, taken = new Promise<never>(() => {}) } = server ?? {};
  return { rtmpPort, mediaPort, usherPort: usher?.port ?? 0, draining, taken, stop };
}

async function openBase(
  config: Config,
  logger: Logger,
  opened: AsyncDisposableStack,
  isReady: () => boolean,
): Promise<Base> {
  const metrics = new Metrics();
  metrics.collectProcess();
  const requests = httpMetrics(metrics);
  const health = healthRoutes({ metrics, isReady });
  const secrets = await loadSecrets(config.secrets, config.data);
  const { redis } = config.state;
  const state = opened.use(
    redis ? new RedisState({ address: redis, clock, logger }) : new MemoryState(clock),
  );
  const catalogue = openCatalogue(config, logger, opened);
  const listen: Base['listen'] = async (listener, port, routes) => {
    const all = [...routes, ...health];
    const options = { host: config.bind, port, routes: all, clock, logger, metrics: requests(listener) };
    const server = await listenHttp(options);
    opened.defer(() => server.close());
    return server;
  };
  return { config, logger, metrics, secrets, state, catalogue, opened, listen };
}

function openCatalogue({ state }: Config, logger: Logger, opened: AsyncDisposableStack): Catalogue {
  const { redis } = state;
  if (!redis) return new MemoryCatalogue();
  const link = opened.use(new RedisLink({ address: redis, scripts: {}, clock, logger }));
  return new RedisCatalogue(link, redis.prefix);
}

interface OpenServer {
  readonly rtmpPort: number;
  readonly mediaPort: number;
  readonly rtmpUrl: string;
  readonly draining: Draining;
  readonly taken: Promise<CodedError>;
}

/** Broadcasts end before the media listener, so that viewers get all there was. */
async function openServer(base: Base): Promise<OpenServer> {
  const { config, logger, metrics, secrets, state, opened, listen } = base;
  const egress = opened.use(new Egress({ metrics, clock }));
  const load = (): number => egress.mbps / config.egressMbps;
  const pace = createPace({ clock, limitMbps: config.archive.uploadMbps, load });
  const stores = openStores({ config, pace, clock, logger });
  const identity = { id: config.id ?? randomName(6), instance: randomName(9) };
  const feeds = new Feeds({ windowMs: config.feed.windowS * 1000 });
  const commitments = new Commitments({
    egressMbps: config.egressMbps,
    clock,
    bitrateMbps: (stream, rendition) =>
      averageMbps(feeds.get(stream, rendition)) || edge.rates.mbps(stream, rendition),
    heaviestMbps: () => heaviestMbps(feeds),
  });
  const holdings: Holdings = new Holdings({
    id: identity.id,
    feeds,
    secrets,
    dial,
    clock,
    logger,
    metrics,
    find: async (stream, rendition) => parentsIn((await state.find(stream))?.holders, stream, rendition),
    readersOf: (stream, rendition) =>
      edge.sessions.viewers.of(stream, rendition) +
      (rendition === SOURCE && transcoder?.reads(stream) ? 1 : 0),
  });
  const successors = new Successors({ state, logger });
  const draining: Draining = opened.use(
    new Draining({
      clock,
      logger,
      left: () => leftIn({ edge, holdings, origin, draining }),
      onChange: () => member?.announce(),
      onTell: () => edge.sendAway(),
      onOverdue: () => origin?.sendAway(async (stream) => originFor(await state.find(stream), identity.id)),
    }),
  );
  const edge: Edge = createEdge({
    feeds,
    demand: (stream, rendition) => holdings.demand(stream, rendition),
    library: stores.library,
    clock,
    logger,
    metrics,
    secrets,
    commitments,
    isDraining: () => draining.isOn,
    successorOf: (stream) => (draining.isOn ? successors.of(stream) : undefined),
    beatMs: config.playback.beatMs,
  });
  const relay = relayRoutes({
    obtain: (stream, rendition) => holdings.obtain(stream, rendition),
    secrets,
    commitments,
    clock,
    logger,
    metrics,
  });
  let member: Member | undefined;
  const transcoder: Transcoder | undefined = config.roles.includes('transcoder')
    ? await openTranscoder({
        config: config.transcode,
        feeds,
        jobFeeds: jobFeedsOf(feeds, holdings),
        clock,
        logger,
        metrics,
        secrets,
        onChange: () => member?.announce(),
      })
    : undefined;
  const isOrigin = config.roles.includes('origin');
  const archive = isOrigin ? opened.use(await openArchive(base, stores, identity.id)) : undefined;
  const owners = archive ? ownerRoutes({ archive, secrets, clock }) : [];
  const routes = [...edge.routes, ...relay, ...owners, ...(transcoder?.routes ?? [])];
  const media = await listen('media', config.mediaPort, routes);
  opened.use(holdings);
  if (transcoder) opened.use(transcoder);

  const origin: Origin | undefined = archive
    ? await startOrigin({
        config,
        secrets,
        feeds,
        clock,
        logger,
        metrics,
        claim: (stream, takeover) =>
          claimStream(stream, takeover, { state, server: identity, holdings, probe, clock }),
        draining,
        onChange: () => member?.announce(),
        archive,
      })
    : undefined;
  opened.defer(async () => origin?.close());

  const mediaUrl = config.mediaUrl ?? `http://${hostIn(config.bind)}:${media.port}`;
  const rtmpUrl = config.rtmpUrl ?? `rtmp://${hostIn(config.bind)}:${origin?.port ?? 0}/live`;
  const describe = (): ServerRecord => ({
    ...identity,
    roles: config.roles,
    site: config.site,
    host: config.host,
    mediaUrl,
    relayUrl: config.relayUrl ?? `http://${reachableHere(config.bind)}:${media.port}`,
    rtmpUrl,
    egressMbps: config.egressMbps,
    sentMbps: egress.mbps,
    committedMbps: commitments.mbps,
    uplinks: commitments.uplinks,
    arrived: edge.sessions.viewers.arrived,
    copyMs: holdings.copyMs,
    drain: draining.announced,
    holdings: holdingsIn(feeds, edge, holdings),
    ...(transcoder ? { transcoding: transcoder.record } : {}),
  });
  const taken = Promise.withResolvers<CodedError>();
  member = new Member({
    state,
    id: identity.id,
    clock,
    logger,
    describe: () => ({
      server: describe(),
      streams: (origin?.streams() ?? []).map((broadcast) => ({ ...broadcast, origin: identity.id })),
    }),
    onAnswer: (answer) => follow(answer, { holdings, origin, draining, successors, transcoder }),
    onTaken: taken.resolve,
  });
  opened.use(member);
  return { rtmpPort: origin?.port ?? 0, mediaPort: media.port, rtmpUrl, draining, taken: taken.promise };
}

function openArchive(base: Base, stores: Stores, keeper: string): Promise<Archive> {
  const { config, catalogue, logger, metrics } = base;
  const { fileS, reserveMb } = config.archive;
  return Archive.open({
    ...stores,
    fileMs: fileS * 1000,
    reserveBytes: reserveMb * 1_000_000,
    policy: createPolicy(config.archive),
    catalogue,
    keeper,
    clock,
    logger,
    metrics,
  });
}

interface Followers {
  readonly holdings: Holdings;
  readonly origin: Origin | undefined;
  readonly draining: Draining;
  readonly successors: Successors;
  readonly transcoder: Transcoder | undefined;
}

/** What the state says to a beat: whom to follow, which streams are another's now, and whether the server is to be emptied. */
function follow(
  { assignment, drain, lost }: BeatAnswer,
  { holdings, origin, draining, successors, transcoder }: Followers,
): void {
  draining.hear(drain);
  if (!draining.isOn) successors.clear();
  else if (assignment) successors.plan(assignment.successors);
  for (const stream of lost) {
    const feed = origin?.lose(stream.name, stream.origin);
    if (feed) holdings.release(stream.name, SOURCE, feed, []);
  }
  if (!assignment) return;
  holdings.assign(assignment.follows);
  transcoder?.assign(assignment.transcodes ?? []);
}

function leftIn({
  edge,
  holdings,
  origin,
  draining,
}: Omit<Followers, 'successors' | 'transcoder'> & { edge: Edge }) {
  const { hls, progressive } = edge.sessions;
  const streams = origin?.streams() ?? [];
  const broadcasts = draining.isOverdue ? streams.filter(({ live }) => live) : streams;
  return {
    viewers: hls.size + progressive.count,
    children: holdings.children,
    broadcasts: broadcasts.length,
  };
}

/** Where a broadcaster may go on: the holder of its stream that takes broadcasts, one that is not being emptied itself. */
function originFor(whereabouts: Whereabouts | undefined, ownId: string): string | undefined {
  const isOpen = ({ id, roles, drain }: KnownServer): boolean =>
    id !== ownId && roles.includes('origin') && drain === null;
  return whereabouts?.holders.find(isOpen)?.rtmpUrl;
}

/** Whom to follow without a plan: the origin of the source, then whoever has come furthest. */
function parentsIn(holders: readonly KnownServer[] | undefined, stream: string, rendition: string) {
  if (!holders) return undefined;
  const heldBy = ({ holdings }: KnownServer) =>
    holdings.find((held) => held.stream === stream && held.rendition === rendition);
  const furthest = holders.filter(heldBy).sort((one, other) => heldBy(other)!.next - heldBy(one)!.next);
  // The first of the holders is the origin if there is one, although it may not have a chunk yet.
  const [origin] = rendition === SOURCE ? holders : [];
  const others = furthest.filter((holder) => holder !== origin);
  return (origin ? [origin, ...others] : others).map(({ id, relayUrl }) => ({ id, relayUrl }));
}

/** A rung's feed is this server's own while it is made here, and another's before and after that. */
function jobFeedsOf(feeds: Feeds, holdings: Holdings): JobFeeds {
  const own = new Map<string, Feed>();
  const keep = (stream: string, rendition: string, feed: Feed): Feed => {
    own.set(`${stream}/${rendition}`, feed);
    return feed;
  };
  const letGo = (stream: string, rendition: string): boolean => own.delete(`${stream}/${rendition}`);
  return {
    source: (stream) => holdings.demand(stream, SOURCE),
    adopt: async (stream, rendition) => {
      const left = own.get(`${stream}/${rendition}`);
      if (left && feeds.get(stream, rendition) === left) return left;
      await catchUp({ stream, rendition }, { holdings, clock });
      return keep(stream, rendition, holdings.adopt(stream, rendition));
    },
    renew: (stream, rendition) => keep(stream, rendition, feeds.open(stream, rendition)),
    release(stream, rendition, feed) {
      letGo(stream, rendition);
      holdings.release(stream, rendition, feed, []);
    },
    end(stream, rendition, reason) {
      letGo(stream, rendition);
      feeds.close(stream, rendition, reason);
    },
  };
}

function holdingsIn(feeds: Feeds, edge: Edge, holdings: Holdings): ServerRecord['holdings'] {
  return [...feeds.all()].map(({ stream, rendition, feed }) => ({
    stream,
    rendition,
    viewers: edge.sessions.viewers.of(stream, rendition),
    arrivalsPerS: edge.sessions.viewers.arrivalsOf(stream, rendition),
    next: feed.next,
    parent: holdings.parentOf(stream, rendition)?.id ?? null,
  }));
}

async function serveUsher(base: Base, ownRtmpUrl: string | undefined): Promise<HttpServer> {
  const { config, logger, metrics, secrets, state, catalogue, opened, listen } = base;
  const rtmpUrl = config.rtmpUrl ?? ownRtmpUrl ?? `rtmp://${hostIn(config.bind)}:${config.rtmpPort}/live`;
  const usher = opened.use(
    await openUsher({ config, state, catalogue, clock, logger, metrics, secrets, rtmpUrl }),
  );
  return listen('usher', config.usherPort, usher.routes);
}

function openSample(
  { config, logger, secrets, opened }: Base,
  { rtmpPort: port, draining }: OpenServer,
): void {
  const expiresAtMs = clock.now() + SAMPLE_KEY_MS;
  const key = signToken(secrets, { purpose: 'publish', stream: SAMPLE_STREAM, expiresAtMs, session: '' });
  const host = reachableHere(config.bind);
  const sample = startSampleBroadcast({ host, port, name: SAMPLE_STREAM, key, clock, logger });
  draining.begun.then(() => sample.stop());
  opened.defer(() => sample.stop());
}

/** An address of this machine at which something bound to `address` answers. */
function reachableHere(address: string): string {
  return address === '0.0.0.0' || address === '::' ? '127.0.0.1' : hostIn(address);
}

function hostIn(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

async function main(args: readonly string[]): Promise<void> {
  const [command = '', ...rest] = args;
  if (args.includes('--help') || args.includes('-h')) process.stdout.write(HELP);
  else if (command === 'keys') {
    const [purpose, name, ...flags] = rest;
    process.stdout.write(`${await makeKey({ purpose, name, rest: flags, clock })}\n`);
  } else if (command === 'status') process.stdout.write(await readStatus(rest, getText));
  else if (command === 'drain' || command === 'undrain')
    process.stdout.write(await orderDrain(command, rest, { sendOrder, clock }));
  else if (command === 'explain') process.stdout.write(await readExplanation(rest, getText));
  else if (command === 'recordings')
    process.stdout.write(await handleRecordings(rest, { getText, sendOrder, clock }));
  else if (command === 'archive') process.stdout.write(await handleArchive(rest));
  else if (command === 'simulate') process.stdout.write(simulate(rest, (line) => process.stderr.write(line)));
  else if (command === 'server' || command === 'usher') await run(readConfig(rest), command);
  else await run(readConfig(args), 'both');
}

async function handleArchive(args: readonly string[]): Promise<string> {
  await using opened = new AsyncDisposableStack();
  const logger = createLogger('warn');
  const catalogueOf = (config: Config): Catalogue => openCatalogue(config, logger, opened);
  return await seeToArchive(args, { catalogueOf, clock, logger });
}

/** A bad configuration, a taken port: words are enough, where they come from in the code is not of interest. */
function isExpected(error: unknown): boolean {
  return error instanceof CodedError || (error as NodeJS.ErrnoException).syscall === 'listen';
}

async function run(config: Config, parts: Parts): Promise<void> {
  const logger = createLogger(config.log);
  const running = await start(config, logger, parts);
  const { rtmpPort, usherPort, mediaPort } = running;
  const port = usherPort || mediaPort;
  logger.info({ rtmpPort, usherPort, mediaPort }, `ready: http://${hostIn(config.bind)}:${port}/`);
  const why = await Promise.race([untilEnd(config, running), running.taken]);
  logger.info({ why: why instanceof CodedError ? why.code : why }, 'stopping');
  await running.stop();
  logger.info({}, 'stopped');
  if (why instanceof CodedError) throw why;
}

/**
 * A server of a cluster is emptied on SIGTERM before it ends: others play on for its viewers. One that is alone would only keep
 * whoever asks it to end waiting, and so does every process on SIGINT, for which somebody sits at a terminal. A second signal
 * ends it in any case.
 */
async function untilEnd({ state, drain }: Config, { draining }: Running): Promise<string> {
  const emptied = draining?.emptied.then(() => 'empty') ?? new Promise<string>(() => {});
  const first = await Promise.race([nextSignal(), emptied]);
  if (first !== 'SIGTERM' || !draining || !state.redis) return first;
  const { deadlineS } = drain;
  draining.order(deadlineS === null ? null : clock.now() + deadlineS * 1000);
  return Promise.race([nextSignal(), emptied]);
}

function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT']) process.once(name, resolve);
  });
}

if (import.meta.main) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(isExpected(error) ? reasonOf(error) : error);
    process.exitCode = 1;
  });
}
