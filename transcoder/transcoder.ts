// The transcoder role: ffmpeg if it is installed, and the worker that runs it.

import { availableParallelism } from 'node:os';
import type { Clock } from '../network/clock.ts';
import type { Config } from '../network/config/schema/schema.ts';
import type { Logger } from '../network/logger.ts';
import type { Metrics } from '../network/metrics.ts';
import type { Transcode, Transcoding } from '../network/state/state.ts';
import { candidatesOf, chooseEncoders, type Encoders } from './ffmpeg/encoders.ts';
import { cpuMsOf, type Ffmpeg, findLeash, probeFfmpeg, startFfmpeg } from './ffmpeg/ffmpeg.ts';
import { type ProbeOptions, probeEncoder } from './ffmpeg/probe.ts';
import type { JobFeeds } from './job.ts';
import { Worker } from './worker.ts';

export interface TranscoderOptions {
  readonly config: Config['transcode'];
  readonly jobFeeds: JobFeeds;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Jobs, or what is said of them, changed. */
  readonly onChange: () => void;
}

export interface Transcoder extends AsyncDisposable {
  readonly record: Transcoding;
  /** Whether a stream's source is needed here. */
  reads(stream: string): boolean;
  assign(transcodes: readonly Transcode[]): void;
}

/** Undefined without ffmpeg: the server says so once, and does what else it is for. */
export async function openTranscoder(options: TranscoderOptions): Promise<Transcoder | undefined> {
  const { config, jobFeeds, clock, logger, metrics, onChange } = options;
  const { ffmpeg: program, preset, slots } = config;
  const present = await probeFfmpeg(program);
  if ('missing' in present) {
    logger.warn({ ffmpeg: program, reason: present.missing }, 'ffmpeg is not here: nothing is transcoded');
    return undefined;
  }
  const leash = await findLeash();
  if (leash.length === 0)
    logger.warn(
      {},
      'setpriv (util-linux) is not here: an ffmpeg that stands still outlives a server that is killed',
    );
  const limits = { maxBytes: config.memoryMb * 1e6, nice: config.nice };
  const start = (args: readonly string[], outputs: number): Ffmpeg =>
    startFfmpeg({ program, args, outputs, leash, clock, ...limits });
  const encoders = await encodersHere(present, start, options);
  const worker = new Worker({
    feeds: jobFeeds,
    settings: { encoders, preset },
    startFfmpeg: start,
    cpuMsOf,
    slots,
    cores: availableParallelism(),
    clock,
    logger,
    failures: metrics.counter(
      'headwater_transcode_failures_total',
      'Runs of ffmpeg that failed, and were begun anew or given up.',
    ),
    onChange,
  });
  describeMetrics(metrics, worker);
  return {
    get record() {
      const { slots, records: jobs } = worker;
      return { slots, codecs: Object.keys(encoders), jobs };
    },
    reads: (stream) => worker.reads(stream),
    assign: (transcodes) => worker.assign(transcodes),
    [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
  };
}

/** Those that work: what is claimed is planned here. */
async function encodersHere(
  present: ReadonlySet<string>,
  start: ProbeOptions['startFfmpeg'],
  { config, clock, logger }: TranscoderOptions,
): Promise<Encoders> {
  const candidates = candidatesOf(present, config.encoders);
  const unknown = config.encoders.filter((name) => !candidates.some((candidate) => candidate === name));
  for (const encoder of unknown)
    logger.warn({ encoder, reason: 'ffmpeg was built without it' }, 'an encoder is not used');
  const probed = await Promise.all(
    candidates.map((encoder) => probeEncoder(encoder, { startFfmpeg: start, clock })),
  );
  for (const each of probed)
    if (!each.works) logger.warn({ encoder: each.encoder, reason: each.reason }, 'an encoder is not used');
  return chooseEncoders(probed.filter(({ works }) => works).map(({ encoder }) => encoder));
}

const JOB_STATES = ['starting', 'running', 'restarting', 'behind', 'failed'] as const;

function describeMetrics(metrics: Metrics, worker: Worker): void {
  metrics.gauge('headwater_transcode_slots', 'Jobs that this worker can keep up with.', [], (gauge) =>
    gauge.set(worker.slots),
  );
  metrics.gauge('headwater_transcode_jobs', 'Jobs of this worker, by their state.', ['state'], (gauge) => {
    for (const state of JOB_STATES)
      gauge.set({ state }, worker.records.filter((job) => job.state === state).length);
  });
  metrics.gauge(
    'headwater_transcode_job_cores',
    'CPU cores that a job of this worker takes, of late; 0 before that is known.',
    [],
    (gauge) => gauge.set(worker.jobCores),
  );
  metrics.gauge(
    'headwater_transcode_lag_seconds',
    'How far the job that is furthest behind its source is behind it.',
    [],
    (gauge) => gauge.set(worker.lagMs / 1000),
  );
}
