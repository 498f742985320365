// Sites in network namespaces of their own, and between them links that this process carries packet by packet.
//
// Each namespace has a TUN device, whose packets socat hands on here. Kernels without `sch_netem` do as well, every link is
// another one, and chance has a seed. All of it lives as long as this process: the kernel ends what hangs on it.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { Dice } from '../../../usher/simulator/dice.ts';
import { freePort } from './free-port.ts';
import { Link, type LinkShape } from './link.ts';

/** Where a site's processes are: what to put before their command, and their address. */
export interface Place {
  readonly enter: readonly string[];
  readonly host: string;
  /** By which its servers are reached, when there is somebody who resolves it. */
  readonly name?: string;
}

const SUBNET = [10, 80] as const;
/** The site that this process is in. */
export const HOME = 'home';
const LOOK_MS = 20;
const PATIENCE_MS = 5_000;

/** Why there can be no namespaces here, or undefined. */
export function namespacesMissing(): string | undefined {
  for (const program of ['unshare', 'nsenter', 'ip', 'socat', 'setpriv']) {
    try {
      execFileSync('sh', ['-c', `command -v ${program}`]);
    } catch {
      return `${program} is not installed`;
    }
  }
  try {
    execFileSync('unshare', ['--net', 'ip', 'tuntap', 'add', 'dev', 'probe', 'mode', 'tun'], {
      stdio: 'pipe',
    });
    return undefined;
  } catch (error) {
    return `network namespaces with TUN devices are not permitted here: ${(error as Error).message}`;
  }
}

export class Namespaces implements AsyncDisposable {
  readonly #sites = new Map<string, Site>();
  readonly #links = new Map<string, Link>();
  /** By address. */
  readonly #aliases = new Map<string, string>();
  readonly #dice: Dice;

  private constructor(seed: number) {
    this.#dice = new Dice(seed);
  }

  /** This process is to be in a namespace of its own already (`unshare --net`): it is the site `home`. */
  static async open(
    sites: readonly string[],
    aliases: readonly string[] = [],
    seed = 1,
  ): Promise<Namespaces> {
    const namespaces = new Namespaces(seed);
    try {
      execFileSync('ip', ['link', 'set', 'lo', 'up']);
      for (const [index, name] of [HOME, ...sites].entries()) await namespaces.#add(name, index + 1);
      for (const [index, name] of aliases.entries()) namespaces.#alias(name, sites.length + 2 + index);
      return namespaces;
    } catch (error) {
      await namespaces[Symbol.asyncDispose]();
      throw error;
    }
  }

  place(site: string): Place {
    const alias = [...this.#aliases].find(([, name]) => name === site);
    if (alias) return { host: alias[0], enter: [] };
    const { pid, host } = this.#sites.get(site)!;
    return { host, enter: pid === undefined ? [] : ['nsenter', `--net=/proc/${pid}/ns/net`] };
  }

  /** Both ways. */
  shape(one: string, other: string, shape: LinkShape): void {
    this.#link(one, other).shape = shape;
    this.#link(other, one).shape = shape;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const site of this.#sites.values()) await site.close();
  }

  async #add(name: string, number: number): Promise<void> {
    const host = [...SUBNET, number, 1].join('.');
    const site = await Site.open(name, host, (packet) => this.#carry(name, packet));
    this.#sites.set(name, site);
  }

  /** A site whose processes are in this one's namespace, and which has an address of its own. */
  #alias(name: string, number: number): void {
    const host = [...SUBNET, number, 1].join('.');
    run(['ip', 'addr', 'add', `${host}/32`, 'dev', `tun-${HOME}`]);
    this.#aliases.set(host, name);
  }

  #link(from: string, to: string): Link {
    const key = `${from} ${to}`;
    const link = this.#links.get(key) ?? new Link(() => this.#dice.next());
    this.#links.set(key, link);
    return link;
  }

  /** IPv4 alone: its source is at byte 12, its destination at 16 (RFC 791 3.1). */
  #carry(from: string, packet: Buffer): void {
    if (packet[0]! >> 4 !== 4) return;
    const [source, target] = [packet.subarray(12, 16).join('.'), packet.subarray(16, 20).join('.')];
    const to = this.#aliases.get(target) ?? this.#siteAt(target);
    const site = this.#sites.get(this.#aliases.has(target) ? HOME : (to ?? ''));
    if (!to || !site) return;
    const nowMs = performance.now();
    const arrivalMs = this.#link(this.#aliases.get(source) ?? from, to).arrivalMs(packet.length, nowMs);
    if (arrivalMs === undefined) return;
    if (arrivalMs <= nowMs) site.deliver(packet);
    else setTimeout(() => site.deliver(packet), arrivalMs - nowMs);
  }

  #siteAt(host: string): string | undefined {
    for (const [name, site] of this.#sites) if (site.host === host) return name;
    return undefined;
  }
}

/** One namespace, held by a process that does nothing else, and its device. */
class Site {
  readonly host: string;
  /** Of who holds the namespace; undefined for the one of this process. */
  readonly pid: number | undefined;
  readonly #children: readonly ChildProcess[];
  readonly #socket: Socket;
  readonly #port: number;

  private constructor(
    host: string,
    pid: number | undefined,
    children: readonly ChildProcess[],
    socket: Socket,
    port: number,
  ) {
    [this.host, this.pid, this.#children, this.#socket, this.#port] = [host, pid, children, socket, port];
  }

  static async open(name: string, host: string, onPacket: (packet: Buffer) => void): Promise<Site> {
    const socket = createSocket('udp4', onPacket).bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const port = await freePort();
    const device = `tun-${name}`;
    const here = (socket.address() as AddressInfo).port;
    const carrier = child([
      ...['socat', '-b', '65536', `TUN,iff-no-pi,tun-type=tun,tun-name=${device}`],
      `UDP4:127.0.0.1:${here},bind=127.0.0.1:${port}`,
    ]);
    await eventually(() => ip(['link', 'show', device]));
    const holder = name === HOME ? undefined : child(['unshare', '--net', 'sleep', 'infinity']);
    if (holder) {
      const own = readlinkSync('/proc/self/ns/net');
      await eventually(() => readlinkSync(`/proc/${holder.pid}/ns/net`) !== own && isAsleep(holder.pid!));
      ip(['link', 'set', device, 'netns', String(holder.pid)]);
    }
    const enter = holder ? ['nsenter', `--net=/proc/${holder.pid}/ns/net`] : [];
    for (const args of [
      ['link', 'set', 'lo', 'up'],
      ['addr', 'add', `${host}/16`, 'dev', device],
      ['link', 'set', device, 'up'],
    ])
      run([...enter, 'ip', ...args]);
    return new Site(host, holder?.pid, holder ? [carrier, holder] : [carrier], socket, port);
  }

  deliver(packet: Buffer): void {
    this.#socket.send(packet, this.#port, '127.0.0.1', () => {});
  }

  async close(): Promise<void> {
    for (const one of this.#children) one.kill('SIGKILL');
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}

/** Ends when this process does, however that ends. */
function child(command: readonly string[]): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', ...command], { stdio: ['ignore', 'ignore', 'inherit'] });
}

function isAsleep(pid: number): boolean {
  return readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n';
}

function ip(args: readonly string[]): boolean {
  run(['ip', ...args]);
  return true;
}

function run([file, ...args]: readonly string[]): void {
  execFileSync(file!, args, { stdio: 'pipe' });
}

async function eventually(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      if (holds()) return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
