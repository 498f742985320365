// What TLS and HTTP/2 cost a server that answers players of LL-HLS: processor seconds per gigabyte, beside plain HTTP/1.1.

import { Client } from 'undici';
import { makeCertificate } from '../tools/world/certificate.ts';
import { PinnedProcess, SERVER_CORE } from './processes.ts';
import { type Report, table } from './report.ts';
import type { BenchmarkOptions } from './run.ts';

interface Ports {
  readonly plainPort: number;
  readonly securePort: number;
}

interface Case {
  readonly name: string;
  readonly urlOf: (ports: Ports) => string;
  readonly allowH2: boolean;
}

const secureUrl = ({ securePort }: Ports): string => `https://127.0.0.1:${securePort}`;
/** The others are told as shares of the first. */
const CASES: readonly Case[] = [
  { name: 'HTTP/1.1', urlOf: ({ plainPort }) => `http://127.0.0.1:${plainPort}`, allowH2: false },
  { name: 'HTTP/1.1 over TLS', urlOf: secureUrl, allowH2: false },
  { name: 'HTTP/2 over TLS', urlOf: secureUrl, allowH2: true },
];

/** A part and the playlist that lists it come so often. */
const PART_MS = 333;
const WARM_UP_S = 2;

interface Measurement {
  readonly name: string;
  readonly viewers: number;
  readonly gigabytes: number;
  readonly cpuSeconds: number;
  readonly cpuSecondsPerGigabyte: number;
}

/** The cases take turns at one server; of each, the cheapest run counts: whatever else the machine does only adds. */
export async function benchmarkTls({ viewers, seconds, runs }: BenchmarkOptions): Promise<Report> {
  const { certFile, keyFile } = makeCertificate('headwater.example');
  await using server = new PinnedProcess('peers/tls-server.ts', [certFile, keyFile], { core: SERVER_CORE });
  const ports = await server.next<Ports>();
  const all: Measurement[] = [];
  for (let run = 0; run < runs; run++)
    for (const count of viewers)
      for (const one of CASES) all.push(await measure(server, ports, one, count, seconds));
  const measurements = viewers.flatMap((count) =>
    CASES.map(({ name }) => cheapest(all.filter((one) => one.name === name && one.viewers === count))),
  );
  return { data: { seconds, runs, measurements, all }, text: textOf(measurements, seconds) };
}

async function measure(
  server: PinnedProcess,
  ports: Ports,
  { name, urlOf, allowH2 }: Case,
  viewers: number,
  seconds: number,
): Promise<Measurement> {
  const connect = { rejectUnauthorized: false };
  const clients = Array.from({ length: viewers }, () => new Client(urlOf(ports), { allowH2, connect }));
  const watching = { isOver: false, bytes: 0 };
  const ends = clients.map((client, at) => watch(client, (at * PART_MS) / viewers, watching));
  await sleepMs(WARM_UP_S * 1000);
  const [bytesBefore, cpuBefore] = [watching.bytes, server.cpuSeconds()];
  await sleepMs(seconds * 1000);
  const gigabytes = (watching.bytes - bytesBefore) / 1e9;
  const cpuSeconds = server.cpuSeconds() - cpuBefore;
  watching.isOver = true;
  await Promise.all(ends);
  await Promise.all(clients.map((client) => client.close()));
  return { name, viewers, gigabytes, cpuSeconds, cpuSecondsPerGigabyte: cpuSeconds / gigabytes };
}

/** Over one connection, as a player: each part when it is due, behind its playlist. */
async function watch(
  client: Client,
  delayMs: number,
  watching: { readonly isOver: boolean; bytes: number },
): Promise<void> {
  await sleepMs(delayMs);
  for (let dueMs = performance.now(); !watching.isOver; ) {
    for (const path of ['/playlist', '/part']) {
      const { body } = await client.request({ path, method: 'GET' });
      watching.bytes += (await body.arrayBuffer()).byteLength;
    }
    dueMs += PART_MS;
    await sleepMs(Math.max(0, dueMs - performance.now()));
  }
}

function cheapest(runs: readonly Measurement[]): Measurement {
  return runs.toSorted((one, other) => one.cpuSecondsPerGigabyte - other.cpuSecondsPerGigabyte)[0]!;
}

function textOf(measurements: readonly Measurement[], seconds: number): string {
  const rows = measurements.map(({ name, viewers, gigabytes, cpuSecondsPerGigabyte }) => {
    const plain = measurements.find((one) => one.viewers === viewers && one.name === CASES[0]!.name)!;
    const ratio = cpuSecondsPerGigabyte / plain.cpuSecondsPerGigabyte;
    return [
      name,
      String(viewers),
      gigabytes.toFixed(2),
      cpuSecondsPerGigabyte.toFixed(2),
      `${ratio.toFixed(2)}x`,
    ];
  });
  const head = ['players of LL-HLS by', 'viewers', 'GB', 'CPU s/GB', 'of HTTP/1.1'];
  return `Parts of 333 ms at 4 Mbps and a playlist for each, one connection a viewer, ${seconds} s each\n\n${table(head, rows)}`;
}

function sleepMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
