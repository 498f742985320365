// Headwater: reads the configuration, composes the roles into this process, runs until it is told to stop.

import { availableParallelism } from 'node:os';
import { createEdge, type Edge } from './edge/edge.ts';
import { EDGE_OPERATIONS } from './edge/operations.ts';
import { openCatalogue } from './network/archive/open-catalogue.ts';
import { peerRoutes } from './network/archive/peer-routes.ts';
import { openStores, type Stores } from './network/archive/stores.ts';
import { type Base, openBase } from './network/base.ts';
import { keepAlive, systemClock } from './network/clock.ts';
import { type Command, defineCommand } from './network/command/command.ts';
import { type Program, runProgram } from './network/command/program.ts';
import { systemTerminal } from './network/command/terminal.ts';
import { ownPlace, readConfig } from './network/config/config.ts';
import { CONFIG_OPTIONS, type Flags } from './network/config/options.ts';
import { loadOwnId } from './network/config/own-id.ts';
import type { Config } from './network/config/schema/schema.ts';
import { Bearing } from './network/egress/bearing.ts';
import { Commitments } from './network/egress/commitments.ts';
import { Egress } from './network/egress/egress.ts';
import { Outflow } from './network/egress/outflow.ts';
import { CodedError } from './network/errors.ts';
import { Feeds, SOURCE } from './network/feed/feeds.ts';
import { averageMbps, heaviestMbps } from './network/feed/rendition.ts';
import { randomName } from './network/hash.ts';
import { dial, getBytes, getText, probe, sendOrder } from './network/http/dial.ts';
import type { HttpServer, Route } from './network/http/http.ts';
import { type Addresses, addressesOf, hostIn } from './network/http/reachable.ts';
import { createLogger, type Logger } from './network/logger.ts';
import { type ApiDocument, describeApi } from './network/openapi/openapi.ts';
import { PROCESS_OPERATIONS } from './network/openapi/process.ts';
import { CpuLoad } from './network/process/cpu-load.ts';
import { nextSignal, untilEnd } from './network/process/ending.ts';
import { collectSeldom } from './network/process/garbage.ts';
import type { Uncaught } from './network/process/uncaught.ts';
import { holdingRecords } from './network/relay/holding-records.ts';
import { Holdings } from './network/relay/holdings.ts';
import { relayRoutes } from './network/relay/relay-server.ts';
import { describeServer } from './network/server-metrics.ts';
import { Draining, type Left } from './network/state/draining.ts';
import { Member } from './network/state/member.ts';
import { claimStream } from './network/state/ownership.ts';
import { findPeers } from './network/state/peers.ts';
import type {
  BeatAnswer,
  LostStream,
  ServerIdentity,
  ServerRecord,
  StreamRecord,
} from './network/state/state.ts';
import { Successors } from './network/state/successors.ts';
import { originFor, parentsIn, renditionsIn } from './network/state/whereabouts.ts';
import { serveSeveral } from './network/workers/serve-several.ts';
import { nextOrder } from './network/workers/worker-process.ts';
import type { Archive } from './origin/archive/archive.ts';
import { createPace } from './origin/archive/keeping/pace.ts';
import { openArchive } from './origin/archive/open-archive.ts';
import { ownerRoutes } from './origin/archive/owners/owner-routes.ts';
import { archiveCommands } from './origin/commands/archive.ts';
import { publishCommand } from './origin/commands/publish.ts';
import { type Origin, startOrigin } from './origin/origin.ts';
import { openSample } from './origin/sample/open-sample.ts';
import manifest from './package.json' with { type: 'json' };
import { Darkroom } from './transcoder/darkroom.ts';
import { runFfmpeg } from './transcoder/ffmpeg/run-ffmpeg.ts';
import { jobFeedsOf } from './transcoder/job-feeds.ts';
import { TRANSCODER_OPERATIONS } from './transcoder/operations.ts';
import { Thumbnails } from './transcoder/thumbnails.ts';
import { openTranscoder, type Transcoder } from './transcoder/transcoder.ts';
import { drainCommand, undrainCommand } from './usher/commands/cluster/drain.ts';
import { statusCommand } from './usher/commands/cluster/status.ts';
import { configCommands } from './usher/commands/config.ts';
import { keysCommands } from './usher/commands/keys.ts';
import { openapiCommand } from './usher/commands/openapi.ts';
import { recordingCommands } from './usher/commands/recordings/recordings.ts';
import { simulateCommand } from './usher/commands/simulate.ts';
import { explainCommand } from './usher/commands/streams/explain.ts';
import { streamsCommand } from './usher/commands/streams/streams.ts';
import { treeCommand } from './usher/commands/streams/tree.ts';
import { ABOUT, USHER_OPERATIONS } from './usher/openapi/operations.ts';
import { apiDocumentRoutes } from './usher/openapi/routes.ts';
import { openUsher } from './usher/usher.ts';

/** A player of a recording that has asked for nothing for so long went on elsewhere, or stands still and can do so when it goes on. */
const VOD_LEAVES_MS = 15_000;

export interface Running {
  /** 0 where the process has no such listener. */
  readonly rtmpPort: number;
  readonly rtmpsPort: number;
  readonly usherPort: number;
  readonly mediaPort: number;
  /** Of the server in this process, if there is one. */
  readonly draining: Draining | undefined;
  /** Resolves when the server can't be one, because another process has its id. */
  readonly taken: Promise<CodedError>;
  readonly uncaught: Uncaught;
  stop(): Promise<void>;
}

export type Parts = 'server' | 'usher' | 'both';

/** Starts what is wanted. Rejects when a port is taken or the data folder can't be used. */
export async function start(config: Config, logger: Logger, parts: Parts): Promise<Running> {
  await using opened = new AsyncDisposableStack();
  let phase: 'starting' | 'running' | 'stopping' = 'starting';
  const base = await openBase({ config, version: manifest.version, clock: systemClock, logger, opened });
  base.health.check(() =>
    phase === 'running' ? undefined : { code: phase, detail: `this process is ${phase}`, blocks: true },
  );
  const server = parts === 'usher' ? undefined : await Server.open(base);
  const usher = parts === 'server' ? undefined : await serveUsher(base, server);
  if (server && parts === 'both' && config.sample)
    openSample({ ...base, rtmpPort: server.rtmpPort, draining: server.draining });
  phase = 'running';
  const roles = opened.move();
  const stop = async (): Promise<void> => {
    phase = 'stopping';
    await roles.disposeAsync();
  };
  const { rtmpPort = 0, rtmpsPort = 0, mediaPort = 0 } = server ?? {};
  const { draining, taken = new Promise<never>(() => {}) } = server ?? {};
  const usherPort = usher?.port ?? 0;
  return { rtmpPort, rtmpsPort, mediaPort, usherPort, draining, taken, uncaught: base.uncaught, stop };
}

/** One server. Its parts know each other by way of it: each is used by some that are there before it. */
class Server {
  readonly #base: Base;
  readonly #identity: ServerIdentity;
  readonly #feeds: Feeds;
  readonly #egress: Egress;
  readonly #cpuLoad: CpuLoad;
  readonly #bearing: Bearing;
  readonly #stores: Stores;
  readonly #commitments: Commitments;
  readonly #outflow: Outflow;
  readonly #holdings: Holdings;
  readonly #successors: Successors;
  readonly #edge: Edge;
  readonly #darkroom: Darkroom;
  readonly #thumbnails: Thumbnails;
  readonly #taken = Promise.withResolvers<CodedError>();
  readonly draining: Draining;
  #transcoder: Transcoder | undefined;
  #archive: Archive | undefined;
  #origin: Origin | undefined;
  #member: Member | undefined;
  #mediaPort = 0;
  #relayPort = 0;

  /** Broadcasts end before the media listener, so that viewers get all there was. */
  static async open(base: Base): Promise<Server> {
    const { roles } = base.config;
    const server = new Server(base, await idOf(base.config));
    if (roles.includes('transcoder')) await server.#openTranscoder();
    if (roles.includes('origin')) await server.#openArchive();
    await server.#listen();
    if (server.#archive) await server.#openOrigin(server.#archive);
    server.#join();
    return server;
  }

  private constructor(base: Base, id: string) {
    const { config, state, clock, logger, opened } = base;
    this.#base = base;
    this.#identity = { id, instance: randomName(9) };
    this.#feeds = new Feeds({ windowMs: config.feed.windowS * 1000 }, (err) =>
      logger.error({ err }, 'a reader of a feed failed'),
    );
    this.#egress = opened.use(new Egress(base));
    this.#cpuLoad = opened.use(new CpuLoad(base));
    this.#bearing = opened.use(this.#createBearing());
    this.#stores = this.#openStores();
    this.#commitments = this.#createCommitments();
    this.#outflow = new Outflow({ egressMbps: config.egressMbps, clock });
    this.#holdings = this.#createHoldings();
    this.#successors = new Successors({ state, logger });
    this.draining = opened.use(this.#createDraining());
    this.#edge = this.#createEdge();
    this.#darkroom = opened.use(new Darkroom({ ...base, config: config.transcode }));
    this.#thumbnails = opened.use(this.#createThumbnails());
    this.#describeState();
  }

  get mediaPort(): number {
    return this.#mediaPort;
  }

  get rtmpPort(): number {
    return this.#origin?.port ?? 0;
  }

  get rtmpsPort(): number {
    return this.#origin?.tlsPort ?? 0;
  }

  get rtmpUrl(): string {
    return this.#addresses.rtmpUrl;
  }

  /** Resolves when another process turns out to have this server's id. */
  get taken(): Promise<CodedError> {
    return this.#taken.promise;
  }

  get #addresses(): Addresses {
    const ports = { media: this.#mediaPort, relay: this.#relayPort, rtmp: this.rtmpPort };
    return addressesOf(this.#base.config, ports);
  }

  /** To operators. */
  #describeState(): void {
    const { health } = this.#base;
    describeServer({
      ...this.#base,
      egress: this.#egress,
      bearing: this.#bearing,
      commitments: this.#commitments,
      outflow: this.#outflow,
      feeds: this.#feeds,
      draining: this.draining,
      left: () => this.#left(),
    });
    health.check(() => this.draining.condition);
    health.check(() => this.#member?.condition);
    health.check(() => this.#archive?.condition);
  }

  /** Uploads to storage leave viewers the room that they need. */
  #openStores(): Stores {
    const { config, clock, logger, secrets } = this.#base;
    const load = (): number => this.#egress.mbps / config.egressMbps;
    const pace = createPace({ clock, limitMbps: config.archive.uploadMbps, load });
    const peersOf = findPeers({ ...this.#base, id: this.#identity.id });
    const peers = config.state.redis ? { peersOf, getBytes, secrets } : undefined;
    return openStores({ config, pace, clock, logger, peers });
  }

  #createBearing(): Bearing {
    const { clock, config } = this.#base;
    const { egressMbps, cpuLimit } = config;
    const usedMbps = (): number => this.#commitments.usedMbps;
    return new Bearing({ clock, egressMbps, cpuLimit, cpuLoad: this.#cpuLoad, usedMbps });
  }

  #createCommitments(): Commitments {
    const { clock, config } = this.#base;
    const { egressMbps } = config;
    const bearing = this.#bearing;
    const bitrateMbps = (stream: string, rendition: string): number =>
      averageMbps(this.#feeds.get(stream, rendition)) || this.#edge.rates.mbps(stream, rendition);
    return new Commitments({
      ...{ egressMbps, bearing, clock, bitrateMbps },
      heaviestMbps: () => heaviestMbps(this.#feeds),
    });
  }

  #createHoldings(): Holdings {
    const { state } = this.#base;
    return new Holdings({
      ...this.#base,
      id: this.#identity.id,
      feeds: this.#feeds,
      dial,
      find: async (stream, rendition) => parentsIn(await state.find(stream), rendition),
      readersOf: (stream, rendition) => this.#readersOf(stream, rendition),
    });
  }

  #readersOf(stream: string, rendition: string): number {
    const isTranscoded = rendition === SOURCE && this.#transcoder?.reads(stream);
    const isRecorded = this.#archive?.reads(stream, rendition);
    return this.#edge.sessions.viewers.of(stream, rendition) + (isTranscoded || isRecorded ? 1 : 0);
  }

  #createDraining(): Draining {
    const { state, clock, logger } = this.#base;
    const elsewhere = async (stream: string) => originFor(await state.find(stream), this.#identity.id);
    return new Draining({
      clock,
      logger,
      left: () => this.#left(),
      onChange: () => this.#member?.announce(),
      onTell: () => this.#edge.sendAway(),
      onOverdue: () => this.#origin?.sendAway(elsewhere),
    });
  }

  #left(): Left {
    const { hls, vod, progressive } = this.#edge.sessions;
    const streams = this.#origin?.streams() ?? [];
    const broadcasts = this.draining.isOverdue ? streams.filter(({ live }) => live) : streams;
    const viewers = hls.size + vod.seenWithin(VOD_LEAVES_MS) + progressive.count;
    return { viewers, children: this.#holdings.children, broadcasts: broadcasts.length };
  }

  #createEdge(): Edge {
    const { draining } = this;
    return createEdge({
      ...this.#base,
      feeds: this.#feeds,
      demand: (stream, rendition) => this.#holdings.demand(stream, rendition),
      library: this.#stores.library,
      commitments: this.#commitments,
      outflow: this.#outflow,
      isDraining: () => draining.isOn,
      successorOf: (stream) => (draining.isOn ? this.#successors.of(stream) : undefined),
      access: this.#base.config.playback.access,
      beatMs: this.#base.config.playback.beatMs,
      signedUrls: this.#base.config.archive.storage?.s3?.signedUrls,
    });
  }

  /** Of its own broadcasts, and of what it transcodes. */
  #createThumbnails(): Thumbnails {
    const isHere = (stream: string): boolean =>
      this.#transcoder?.reads(stream) || this.#origin?.streams().some(({ name }) => name === stream) || false;
    return new Thumbnails({
      ...this.#base,
      sources: () =>
        [...this.#feeds.all()].flatMap(({ stream, rendition, feed }) =>
          rendition === SOURCE && isHere(stream) ? [[stream, feed] as const] : [],
        ),
      picture: (media) => this.#darkroom.thumbnail(media),
    });
  }

  async #openTranscoder(): Promise<void> {
    this.#transcoder = await openTranscoder({
      ...this.#base,
      config: this.#base.config.transcode,
      jobFeeds: jobFeedsOf(this.#feeds, this.#holdings, this.#base.clock),
      onChange: () => this.#member?.announce(),
    });
  }

  async #openArchive(): Promise<void> {
    const { config, state, opened } = this.#base;
    const keeper = this.#identity.id;
    const darkroom = config.archive.pictures ? this.#darkroom : undefined;
    const renditions = {
      renditionsOf: async (stream: string) => renditionsIn(await state.find(stream)),
      demand: (stream: string, rendition: string) => this.#holdings.demand(stream, rendition),
    };
    const options = { ...this.#base, ...this.#stores, keeper, darkroom, renditions };
    this.#archive = opened.use(await openArchive(options));
  }

  async #listen(): Promise<void> {
    const { config, opened, listen } = this.#base;
    const { viewers, servers } = this.#routes();
    const media = await listen(
      'media',
      config.mediaPort,
      config.relayTls ? viewers : [...viewers, ...servers],
    );
    this.#mediaPort = media.port;
    if (config.relayTls) this.#relayPort = (await listen('relay', config.relayTls.port, servers)).port;
    opened.use(this.#holdings);
    if (this.#transcoder) opened.use(this.#transcoder);
  }

  #routes(): { readonly viewers: readonly Route[]; readonly servers: readonly Route[] } {
    const obtain: Holdings['obtain'] = (stream, rendition) => this.#holdings.obtain(stream, rendition);
    const relay = relayRoutes({
      ...this.#base,
      obtain,
      commitments: this.#commitments,
      outflow: this.#outflow,
    });
    const owners = this.#archive ? ownerRoutes({ ...this.#base, archive: this.#archive }) : [];
    const files = this.#archive ? peerRoutes({ ...this.#base, folders: this.#stores.folders }) : [];
    const viewers = [...this.#edge.routes, ...this.#thumbnails.routes];
    return { viewers, servers: [...relay, ...owners, ...files] };
  }

  async #openOrigin(archive: Archive): Promise<void> {
    const { state, clock, opened } = this.#base;
    const ownership = { state, server: this.#identity, holdings: this.#holdings, probe, clock };
    const origin = await startOrigin({
      ...this.#base,
      feeds: this.#feeds,
      claim: (stream, takeover) => claimStream(stream, takeover, ownership),
      draining: this.draining,
      onChange: () => this.#member?.announce(),
      archive,
    });
    this.#origin = origin;
    opened.defer(() => origin.close());
  }

  #join(): void {
    this.#member = new Member({
      ...this.#base,
      id: this.#identity.id,
      describe: () => ({ server: this.#describe(), streams: this.#streams() }),
      onAnswer: (answer) => this.#follow(answer),
      onTaken: this.#taken.resolve,
    });
    this.#base.opened.use(this.#member);
  }

  /** Who has no descriptors left for more viewers has no room for them. Of nothing at all no share could be told. */
  get #offeredMbps(): number {
    const { mbps } = this.#bearing;
    return this.#base.descriptors.areLow ? Math.min(mbps, Math.max(1, this.#commitments.mbps)) : mbps;
  }

  #describe(): ServerRecord {
    const { roles, site, host } = this.#base.config;
    const { viewers, vod } = this.#edge.sessions;
    return {
      ...this.#identity,
      ...{ roles, site, host, egressMbps: this.#offeredMbps },
      ...this.#addresses,
      sentMbps: this.#egress.mbps,
      cpuLoad: this.#cpuLoad.share,
      committedMbps: this.#commitments.mbps,
      uplinks: this.#commitments.uplinks,
      arrived: viewers.arrived,
      copyMs: this.#holdings.copyMs,
      thumbnails: this.#thumbnails.streams,
      drain: this.draining.announced,
      holdings: holdingRecords({
        feeds: this.#feeds,
        holdings: this.#holdings,
        commitments: this.#commitments,
        viewers,
      }),
      ...(vod.count > 0 && { vodViewers: vod.count }),
      ...(this.#transcoder && { transcoding: this.#transcoder.record }),
    };
  }

  #streams(): StreamRecord[] {
    const broadcasts = this.#origin?.streams() ?? [];
    return broadcasts.map((broadcast) => ({ ...broadcast, origin: this.#identity.id }));
  }

  /** What the state says to a beat: whom to follow, which streams are another's now, and whether the server is to be emptied. */
  #follow({ assignment, drain, lost }: BeatAnswer): void {
    this.draining.hear(drain);
    if (!this.draining.isOn) this.#successors.clear();
    else if (assignment) this.#successors.plan(assignment.successors);
    for (const stream of lost) this.#lose(stream);
    if (!assignment) return;
    this.#holdings.assign(assignment.follows);
    this.#transcoder?.assign(assignment.transcodes ?? []);
  }

  #lose({ name, origin }: LostStream): void {
    const feed = this.#origin?.lose(name, origin);
    if (feed) this.#holdings.release(name, SOURCE, feed, []);
  }
}

/** What a server records is known by its id: it keeps the one that it had. */
function idOf({ id, roles, data }: Config): string | Promise<string> {
  return id ?? (roles.includes('origin') ? loadOwnId(data) : randomName(6));
}

async function serveUsher(base: Base, server: Server | undefined): Promise<HttpServer> {
  const { config, opened, listen } = base;
  const { rtmpUrl } =
    server ?? addressesOf(config, { media: config.mediaPort, relay: 0, rtmp: config.rtmpPort });
  const usher = opened.use(await openUsher({ ...base, rtmpUrl }));
  return listen('usher', config.usherPort, [...usher.routes, ...apiDocumentRoutes(describeAll())]);
}

/** What programs may ask of all roles together. */
function describeAll(): ApiDocument {
  const servers = [...EDGE_OPERATIONS, ...TRANSCODER_OPERATIONS];
  const operations = [...USHER_OPERATIONS, ...servers, ...PROCESS_OPERATIONS];
  return describeApi(operations, { ...ABOUT, version: manifest.version });
}

const TOOLS = { getText, sendOrder, openCatalogue, clock: systemClock, logger: createLogger('warn') };

/** The command line. */
export const PROGRAM: Program = {
  name: 'headwater',
  summary: 'A live video relay that survives flash crowds.',
  version: manifest.version,
  usual: 'run',
  examples: [
    ['headwater', 'everything in one process, and a sample broadcast: http://localhost:8080/'],
    ['headwater publish film.mp4 alice --loop', 'a broadcast of your own'],
    ['headwater status', 'servers, streams and who follows whom'],
    ['headwater drain ams-1 --wait', 'empty a server before work on it'],
  ],
  commands: [
    service('run', 'both', 'run a server and an usher in this process', [
      ['headwater', 'and a sample broadcast: http://localhost:8080/'],
      ['headwater run --no-sample --bind 0.0.0.0', 'for others to publish and to watch'],
    ]),
    service('server', 'server', 'run one server of a cluster', [
      ['headwater server --config server.yaml', 'it meets the others in the Redis that the file names'],
    ]),
    service('usher', 'usher', 'run one usher of a cluster', [
      ['headwater usher --config usher.yaml', 'it places viewers; several may run'],
    ]),
    statusCommand(TOOLS),
    streamsCommand(TOOLS),
    treeCommand(TOOLS),
    explainCommand(TOOLS),
    drainCommand(TOOLS),
    undrainCommand(TOOLS),
    keysCommands(TOOLS),
    {
      name: 'archive',
      summary: 'recordings: list, keep, delete and clip them; clean disks, rebuild the catalogue',
      commands: [...recordingCommands(TOOLS), ...archiveCommands(TOOLS)],
    },
    publishCommand({ clock: systemClock, nextSignal, runFfmpeg }),
    simulateCommand,
    openapiCommand(describeAll),
    configCommands,
  ],
};

function service(name: string, parts: Parts, summary: string, examples: Command['examples']): Command {
  const isService = true;
  const run = (flags: Flags): Promise<undefined> => serve(readConfig(flags), parts);
  return defineCommand({ name, summary, options: CONFIG_OPTIONS, examples, isService, run });
}

/** Runs until it is told to stop. */
async function serve(config: Config, parts: Parts): Promise<undefined> {
  const place = ownPlace();
  const logger = createLogger(config.log).child(place ? { worker: place.number } : {});
  const cores = config.cores === 'auto' ? availableParallelism() : config.cores;
  if (cores > 1 && parts === 'server') {
    await serveSeveral(config, cores, { clock: systemClock, logger });
    return;
  }
  collectSeldom();
  const running = await start(config, logger, parts);
  const { rtmpPort, rtmpsPort, usherPort, mediaPort, draining, uncaught } = running;
  const port = usherPort || mediaPort;
  logger.info(
    { rtmpPort, rtmpsPort, usherPort, mediaPort },
    `ready: ${config.tls ? 'https' : 'http'}://${hostIn(config.bind)}:${port}/`,
  );
  const { deadlineS } = config.drain;
  const deadlineMs = deadlineS === null ? null : deadlineS * 1000;
  const isOneOfSeveral = config.state.redis !== undefined;
  const next = place ? nextOrder : nextSignal;
  const end = untilEnd({ draining, uncaught, isOneOfSeveral, deadlineMs, nextSignal: next });
  const why = await Promise.race([end, running.taken]);
  logger.info({ why: why instanceof CodedError ? why.code : why }, 'stopping');
  await running.stop();
  logger.info({}, 'stopped');
  if (why instanceof CodedError) throw why;
  if (uncaught.count > 0)
    throw new CodedError('uncaught', 'there was an error that nobody caught: see the log');
}

if (import.meta.main) {
  // A command that looks again each second waits for a timer alone in between.
  const alive = keepAlive();
  process.exitCode = await runProgram(PROGRAM, process.argv.slice(2), systemTerminal(process));
  alive.cancel();
}
