// Sockets by the kernel's own calls, thousands in one process: what a viewer only counts is dropped where it lies and never copied.

import { dlopen, getRawPointer } from 'node:ffi';
import type { Clock } from '../../../network/clock.ts';

/** Whom a socket belongs to. */
export interface Owner {
  /** Something has come. Who does not take all of it, until less is there than is asked for, is not told again. */
  readable(): void;
  /** The other side closed it, or never took it. */
  gone(): void;
}

/** What was read last, of whichever socket: nothing in it outlasts the turn. */
export const READ = Buffer.allocUnsafeSlow(64 * 1024);

const { functions: kernel } = dlopen(null, {
  socket: { return: 'i32', arguments: ['i32', 'i32', 'i32'] },
  connect: { return: 'i32', arguments: ['i32', 'u64', 'u32'] },
  setsockopt: { return: 'i32', arguments: ['i32', 'i32', 'i32', 'u64', 'u32'] },
  send: { return: 'i32', arguments: ['i32', 'u64', 'u64', 'i32'] },
  recv: { return: 'i32', arguments: ['i32', 'u64', 'u64', 'i32'] },
  close: { return: 'i32', arguments: ['i32'] },
  epoll_create1: { return: 'i32', arguments: ['i32'] },
  epoll_ctl: { return: 'i32', arguments: ['i32', 'i32', 'i32', 'u64'] },
  epoll_wait: { return: 'i32', arguments: ['i32', 'u64', 'i32', 'i32'] },
  usleep: { return: 'i32', arguments: ['u32'] },
});

// Linux's numbers, the same on x86-64 and arm64.
const [AF_INET, SOCK_STREAM, SOCK_NONBLOCK] = [2, 1, 0o4000];
const [IPPROTO_TCP, TCP_NODELAY] = [6, 1];
const [MSG_TRUNC, MSG_NOSIGNAL] = [0x20, 0x4000];
const [EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP, EPOLLRDHUP, EPOLLET] = [1, 4, 8, 16, 0x2000, 0x80000000];
const [EPOLL_CTL_ADD, EPOLL_CTL_MOD] = [1, 3];

/** `struct epoll_event` is packed on x86-64 alone. */
const EVENT = process.arch === 'x64' ? { bytes: 12, socketAt: 4 } : { bytes: 16, socketAt: 8 };
const EVENTS_AT_ONCE = 256;
/**
 * To be woken by each write of a server costs both more than the write: what has come meanwhile is taken together. Whoever has more
 * to do than there is time for does not rest.
 */
const REST_US = 1_000;

const events = Buffer.alloc(EVENT.bytes * EVENTS_AT_ONCE);
const event = Buffer.alloc(EVENT.bytes);
const sent = Buffer.alloc(4096);
const one = Buffer.of(1, 0, 0, 0);
const address = Buffer.alloc(16);
const [eventsAt, eventAt, sentAt] = [getRawPointer(events), getRawPointer(event), getRawPointer(sent)];
const [readAt, oneAt, addressAt] = [getRawPointer(READ), getRawPointer(one), getRawPointer(address)];

const epoll = kernel.epoll_create1(0);
/** By descriptor. */
const sockets: (Socket | undefined)[] = [];

export class Socket {
  readonly #descriptor: number;
  readonly #owner: Owner;
  /** Until it is connected. */
  #unsent: string[] | undefined = [];

  constructor({ hostname, port }: URL, owner: Owner) {
    this.#owner = owner;
    this.#descriptor = kernel.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (this.#descriptor < 0) throw new Error('no further socket to be had');
    sockets[this.#descriptor] = this;
    kernel.setsockopt(this.#descriptor, IPPROTO_TCP, TCP_NODELAY, oneAt, one.length);
    address.writeUInt16LE(AF_INET);
    address.writeUInt16BE(Number(port), 2);
    address.set(hostname.split('.').map(Number), 4);
    // That it is under way is no news: the first event tells what became of it.
    kernel.connect(this.#descriptor, addressAt, address.length);
    this.#watch(EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
  }

  /** In latin1. Small: the kernel takes it whole. */
  send(text: string): void {
    if (this.#unsent) {
      this.#unsent.push(text);
      return;
    }
    if (!this.#isOpen) return;
    const bytes = sent.write(text, 'latin1');
    if (kernel.send(this.#descriptor, sentAt, BigInt(bytes), MSG_NOSIGNAL) !== bytes) this.#end();
  }

  /** Takes up to so many bytes into `READ`; gives how many there were. */
  read(most: number): number {
    return this.#take(most, 0);
  }

  /** Takes up to so many bytes and drops them (tcp(7), MSG_TRUNC); gives how many there were. */
  drop(most: number): number {
    return this.#take(most, MSG_TRUNC);
  }

  close(): void {
    if (!this.#isOpen) return;
    sockets[this.#descriptor] = undefined;
    kernel.close(this.#descriptor);
  }

  /** Takes what epoll says of it. */
  ready(flags: number): void {
    if (flags & EPOLLOUT && this.#unsent) this.#connected(this.#unsent);
    if (flags & EPOLLIN) this.#owner.readable();
    if (flags & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) this.#end();
  }

  #connected(unsent: readonly string[]): void {
    this.#unsent = undefined;
    this.#watch(EPOLL_CTL_MOD, EPOLLIN | EPOLLRDHUP);
    for (const text of unsent) this.send(text);
  }

  #watch(how: number, what: number): void {
    event.writeUInt32LE((what | EPOLLET) >>> 0);
    event.writeInt32LE(this.#descriptor, EVENT.socketAt);
    kernel.epoll_ctl(epoll, how, this.#descriptor, eventAt);
  }

  /** recv(2): 0 says that no more will come, -1 that nothing is there yet. */
  #take(most: number, flags: number): number {
    if (!this.#isOpen) return 0;
    const bytes = kernel.recv(this.#descriptor, readAt, BigInt(most), flags);
    if (bytes === 0) this.#end();
    return Math.max(0, bytes);
  }

  /** A descriptor that was closed is soon another's. */
  get #isOpen(): boolean {
    return sockets[this.#descriptor] === this;
  }

  #end(): void {
    if (!this.#isOpen) return;
    this.close();
    this.#owner.gone();
  }
}

/** Looks after all sockets, in turn with everything else that this process does. */
export function serveSockets(clock: Clock): void {
  const count = kernel.epoll_wait(epoll, eventsAt, EVENTS_AT_ONCE, 0);
  for (let at = 0; at < count * EVENT.bytes; at += EVENT.bytes)
    sockets[events.readInt32LE(at + EVENT.socketAt)]?.ready(events.readUInt32LE(at));
  if (count < EVENTS_AT_ONCE) kernel.usleep(REST_US);
  clock.after(0, () => serveSockets(clock));
}
