// What a Redis says of its own work: CPU, traffic, commands, memory.

import type { Redis } from 'ioredis';

export interface Counters {
  readonly cpuS: number;
  readonly inBytes: number;
  readonly outBytes: number;
  /** Scripts that were asked for. */
  readonly calls: number;
  /** Those in scripts included. */
  readonly commands: number;
}

export async function counters(admin: Redis): Promise<Counters> {
  return {
    cpuS: (await info(admin, 'cpu', 'used_cpu_user')) + (await info(admin, 'cpu', 'used_cpu_sys')),
    inBytes: await info(admin, 'stats', 'total_net_input_bytes'),
    outBytes: await info(admin, 'stats', 'total_net_output_bytes'),
    calls: await scriptCalls(admin),
    commands: await info(admin, 'stats', 'total_commands_processed'),
  };
}

async function scriptCalls(admin: Redis): Promise<number> {
  const stats = await admin.info('commandstats');
  const calls = [...stats.matchAll(/cmdstat_(?:eval|evalsha):calls=(\d+)/g)];
  return calls.reduce((sum, [, count]) => sum + Number(count), 0);
}

export async function keyBytes(admin: Redis): Promise<number> {
  const keys = await admin.keys('*');
  const bytes = await Promise.all(keys.map((key) => admin.memory('USAGE', key, 'SAMPLES', 0)));
  return bytes.reduce<number>((sum, used) => sum + (used ?? 0), 0);
}

async function info(admin: Redis, section: string, field: string): Promise<number> {
  const text = await admin.info(section);
  return Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(text)![1]);
}
