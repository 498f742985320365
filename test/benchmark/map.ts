// What it costs to know where a viewer is: memory, time to read, time of a look-up. `node --expose-gc test/benchmark/map.ts`

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock as clock } from '../../network/clock.ts';
import { createLogger } from '../../network/logger.ts';
import { type Address, formatAddress } from '../../network/map/address.ts';
import { openAtlas } from '../../network/map/atlas.ts';
import { clientAddress } from '../../network/map/client-address.ts';
import { readRoutes } from '../../network/map/routes/routes.ts';
import { lastingFolder } from '../tools/world/scratch-folder.ts';
import { percentile, table } from './report.ts';

const LOOKUPS = 200_000;
const RUNS = 9;
const IPV4_PREFIXES = 750_000;
const IPV6_PREFIXES = 250_000;
const EXAMPLE = join(import.meta.dirname, '../../network/map/example.yaml');

const logger = createLogger('warn');
const folder = lastingFolder();
const file = join(folder, 'routes.txt');
const random = dice(7);
writePrefixes();

const [routes, ...ofRoutes] = await measured(() => readRoutes([file]));
const [atlas, ...ofAtlas] = await measured(() => openAtlas({ topology: EXAMPLE }, { clock, logger }));
console.log(
  table(
    ['read', 'ms', 'event loop held ms', 'MB kept'],
    [
      [`${IPV4_PREFIXES} IPv4 and ${IPV6_PREFIXES} IPv6 prefixes`, ...ofRoutes],
      ['what is installed: cities, 515,158 ranges', ...ofAtlas],
    ],
  ),
);

const ipv4 = Array.from({ length: LOOKUPS }, () => [word()]);
const ipv6 = Array.from({ length: LOOKUPS }, () => [0x2000_0000 + (word() >>> 4), word(), word(), word()]);
const texts = { ipv4: ipv4.map(formatAddress), ipv6: ipv6.map(formatAddress) };
const headers = { 'x-forwarded-for': '198.51.100.7, 10.0.0.2' };
const trusted = [{ first: [0x0a00_0000], last: [0x0aff_ffff] }];
console.log(
  table(
    ['look-up', 'ns', 'worst run'],
    [
      lookups('network by prefix, IPv4', ipv4, (address) => routes.asnOf(address)),
      lookups('network by prefix, IPv6', ipv6, (address) => routes.asnOf(address)),
      lookups('place and network of a text, IPv4', texts.ipv4, (text) => atlas.locate(text)),
      lookups('place and network of a text, IPv6', texts.ipv6, (text) => atlas.locate(text)),
      lookups('client of a connection', texts.ipv4, (remoteAddress) =>
        clientAddress({ remoteAddress, headers }, []),
      ),
      lookups('client behind two proxies', texts.ipv4, () =>
        clientAddress({ remoteAddress: '10.0.0.1', headers }, trusted),
      ),
    ],
  ),
);
atlas[Symbol.dispose]();

async function measured<T>(read: () => Promise<T>): Promise<[T, ...string[]]> {
  const before = memoryMb();
  const held = monitorEventLoopDelay({ resolution: 1 });
  held.enable();
  const startedAt = performance.now();
  const value = await read();
  const tookMs = performance.now() - startedAt;
  held.disable();
  return [value, tookMs.toFixed(0), (held.max / 1e6).toFixed(0), (memoryMb() - before).toFixed(0)];
}

function lookups<T>(name: string, inputs: readonly T[], lookup: (input: T) => unknown): string[] {
  const ns = Array.from({ length: RUNS }, () => {
    const startedAt = performance.now();
    for (const input of inputs) lookup(input);
    return ((performance.now() - startedAt) / inputs.length) * 1e6;
  });
  return [name, percentile(ns, 0.5).toFixed(0), Math.max(...ns).toFixed(0)];
}

/** Objects and buffers; what a thread had is returned with it. */
function memoryMb(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1e6;
}

/** Most of them small, within the larger ones, in no order, as the Internet's. */
function writePrefixes(): void {
  const asn = (): number => 1 + Math.floor(random() * 80_000);
  const bits = (from: number, to: number): number => to - Math.floor(random() ** 2 * (to - from + 1));
  const ipv4 = Array.from(
    { length: IPV4_PREFIXES },
    () => `${formatAddress([word()])}/${bits(8, 24)} ${asn()}`,
  );
  const ipv6 = Array.from({ length: IPV6_PREFIXES }, () => {
    const address: Address = [0x2000_0000 + (word() >>> 4), word(), 0, 0];
    return `${formatAddress(address)}/${bits(20, 48)} ${asn()}`;
  });
  writeFileSync(file, [...ipv4, ...ipv6].join('\n'));
}

function word(): number {
  return Math.floor(random() * 2 ** 32);
}

/** A linear congruential generator: the same prefixes in each run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
