// What recording costs: many streams at once with a viewer each, recorded and not, on the same server.

import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastingFolder } from '../tools/world/scratch-folder.ts';
import { CLIENT_CORE, freePorts, PinnedProcess, SERVER_CORE, startProgram, untilReady } from './processes.ts';
import { recordingFile } from './recording.ts';
import { type Report, table } from './report.ts';
import type { BenchmarkOptions } from './run.ts';

const STREAMS = 50;
/** What is compared, as the configuration says it. */
const CASES: readonly (readonly [name: string, archive: string])[] = [
  ['not recorded', 'record: false'],
  ['recorded, never synced', 'syncS: null, pictures: false'],
  ['recorded, synced every 5 s', 'pictures: false'],
];
/** Until what came at once in the beginning is behind. */
const WARM_UP_MS = 8_000;
/** What one stream brings in a second. */
const STREAM_MB = 0.5;

interface Measurement {
  readonly name: string;
  readonly cpuSeconds: number;
  /** Payload that came by RTMP, and segments that could not be recorded. */
  readonly receivedBytes: number;
  readonly missed: number;
  /** Of the feeds' chunks, as viewers get them: payload, and some 120 bytes for each frame. */
  readonly recordedBytes: number;
  /** On the disk: media and indexes. */
  readonly writtenBytes: number;
  readonly residentBytes: number;
}

export async function benchmarkArchive(options: BenchmarkOptions): Promise<Report> {
  const measurements: Measurement[] = [];
  for (const each of CASES) measurements.push(await measure(each, options.seconds));
  return {
    data: { ...options, streams: STREAMS, measurements },
    text: textOf(measurements, options.seconds),
  };
}

async function measure([name, archive]: (typeof CASES)[number], seconds: number): Promise<Measurement> {
  const [rtmpPort, usherPort, mediaPort] = (await freePorts(3)) as [number, number, number];
  const folder = lastingFolder();
  writeFileSync(join(folder, 'config.yaml'), `archive: {${archive}}\nlog: error\n`);
  const args = ['--config', join(folder, 'config.yaml'), '--data', folder, '--no-sample'];
  const ports = ['--rtmp-port', rtmpPort, '--usher-port', usherPort, '--media-port', mediaPort].map(String);
  await using server = startProgram([...args, ...ports], { core: SERVER_CORE });
  const url = `http://127.0.0.1:${usherPort}`;
  await untilReady(`${url}/readyz`);
  const many = [...[rtmpPort, usherPort, STREAMS].map(String), recordingFile()];
  await using _publisher = new PinnedProcess('load/publish-many.ts', many, { core: CLIENT_CORE });
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  const look = async () => ({
    cpu: server.cpuSeconds(),
    told: await countersOf(url),
    written: bytesIn(folder),
  });
  const before = await look();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const after = await look();
  const residentBytes = server.residentBytes();
  return {
    name,
    cpuSeconds: after.cpu - before.cpu,
    receivedBytes: after.told.received - before.told.received,
    missed: after.told.missed,
    recordedBytes: after.told.recorded - before.told.recorded,
    writtenBytes: after.written - before.written,
    residentBytes,
  };
}

async function countersOf(url: string) {
  const text = await (await fetch(`${url}/metrics`)).text();
  const total = (name: string): number =>
    [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)`, 'gm'))].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    );
  return {
    received: total('headwater_ingest_bytes_total'),
    recorded: total('headwater_archive_media_bytes_total'),
    missed: total('headwater_archive_missed_segments_total'),
  };
}

function bytesIn(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && /\.(mp4|index)$/.test(entry.name));
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

function textOf(measurements: readonly Measurement[], seconds: number): string {
  const [without, unsynced, recorded] = measurements as [Measurement, Measurement, Measurement];
  const rows = measurements.map((each) => [
    each.name,
    ((each.cpuSeconds / seconds) * 100).toFixed(1),
    (each.receivedBytes / 1e6 / seconds).toFixed(2),
    (each.writtenBytes / 1e6 / seconds).toFixed(2),
    (each.writtenBytes / each.receivedBytes).toFixed(3),
    each.recordedBytes === 0 ? '–' : (each.writtenBytes / each.recordedBytes).toFixed(3),
    String(each.missed),
    (each.residentBytes / 1e6).toFixed(0),
  ]);
  const disk = ['MB/s to disk', 'per byte of payload', 'per byte of the feed'];
  const head = [`${STREAMS} streams`, 'CPU %', 'MB/s in', ...disk, 'missed', 'RSS MB'];
  // By what came: how much that was differs on a machine that does other things, too.
  const cpuPerMb = ({ cpuSeconds, receivedBytes }: Measurement): number => cpuSeconds / (receivedBytes / 1e6);
  const perStream = (one: Measurement, other: Measurement): string =>
    ((cpuPerMb(one) - cpuPerMb(other)) * STREAM_MB * 100).toFixed(3);
  const added = `Recording adds ${perStream(recorded, without)} % of a core per stream`;
  return `${table(head, rows)}\n${added}, ${perStream(recorded, unsynced)} % of it for syncing.\n`;
}
