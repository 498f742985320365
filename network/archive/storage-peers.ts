// Recordings that lie with other servers, read from them over HTTP: a broadcast that moved is whole wherever it is watched.

import type { Clock } from '../clock.ts';
import { z } from '../config/yaml.ts';
import { CodedError, reasonOf } from '../errors.ts';
import type { GetBytes } from '../http/dial.ts';
import { signToken } from '../token.ts';
import { streamOf } from './catalogue.ts';
import { checkedKey, isKey, type Readable, type StoredObject } from './storage.ts';

/** Base URLs of the other servers, living ones, that have something of a recording. */
export type PeersOf = (recording: string) => Promise<readonly string[]>;

export interface PeerOptions {
  readonly peersOf: PeersOf;
  readonly getBytes: GetBytes;
  readonly secrets: readonly string[];
  readonly clock: Clock;
}

const listing = z.array(z.object({ key: z.string().refine(isKey), bytes: z.number().min(0) })).max(100_000);
const TIMEOUT_MS = 5_000;
/** A token is for now. */
const TOKEN_MS = 60_000;
/** Of more objects than that, whoever was asked first is forgotten: the next listing tells again. */
const MAX_KNOWN = 50_000;

export class PeerStorage implements Readable {
  readonly #options: PeerOptions;
  /** Who has an object, by its key. */
  readonly #peers = new Map<string, string>();

  constructor(options: PeerOptions) {
    this.#options = options;
  }

  /** Of one recording, whose folder the prefix names. Of what several have, the largest: it may grow with one of them. */
  async *list(prefix: string): AsyncGenerator<StoredObject> {
    const recording = prefix.slice(0, prefix.indexOf('/'));
    const objects = new Map<string, StoredObject>();
    for (const peer of recording === '' ? [] : await this.#options.peersOf(recording))
      for (const object of await this.#listAt(peer, recording)) {
        if ((objects.get(object.key)?.bytes ?? -1) >= object.bytes) continue;
        objects.set(object.key, object);
        this.#note(object.key, peer);
      }
    const wanted = [...objects.values()].filter(({ key }) => key.startsWith(prefix));
    yield* wanted.sort((one, other) => (one.key < other.key ? -1 : 1));
  }

  async read(key: string, from: number, to: number): Promise<Uint8Array> {
    const peer = this.#peers.get(checkedKey(key));
    if (peer === undefined) throw new CodedError('not_stored', `no server is known to have '${key}'`);
    if (to <= from) return new Uint8Array();
    const recording = key.slice(0, key.indexOf('/'));
    const path = `/files${key.slice(recording.length)}`;
    return this.#ask(peer, recording, path, { Range: `bytes=${from}-${to - 1}` });
  }

  async #listAt(peer: string, recording: string): Promise<readonly StoredObject[]> {
    const text = Buffer.from(await this.#ask(peer, recording, '/files', {})).toString('utf8');
    const told = text === '' ? [] : readListing(text, peer);
    return told.filter(({ key }) => key.startsWith(`${recording}/`));
  }

  /** Empty where there is nothing, or nothing that far on. */
  async #ask(
    peer: string,
    recording: string,
    path: string,
    headers: Record<string, string>,
  ): Promise<Uint8Array> {
    const { getBytes, secrets, clock } = this.#options;
    const grant = { purpose: 'relay', stream: streamOf(recording), session: '' } as const;
    const token = signToken(secrets, { ...grant, expiresAtMs: clock.now() + TOKEN_MS });
    const url = `${peer}/recordings/${token}/${recording}${path}`;
    const { status, bytes } = await getBytes(url, headers, TIMEOUT_MS).catch(asUnavailable);
    if (status === 404 || status === 416) return new Uint8Array();
    if (status === 200 || status === 206) return bytes;
    throw new CodedError('storage_unavailable', `the server at ${peer} answers ${status}`);
  }

  #note(key: string, peer: string): void {
    this.#peers.delete(key);
    this.#peers.set(key, peer);
    if (this.#peers.size > MAX_KNOWN) this.#peers.delete(this.#peers.keys().next().value!);
  }
}

function readListing(text: string, peer: string): readonly StoredObject[] {
  try {
    return listing.parse(JSON.parse(text));
  } catch (error) {
    throw new CodedError('storage_unavailable', `what the server at ${peer} lists makes no sense`, {
      cause: error,
    });
  }
}

function asUnavailable(error: unknown): never {
  throw new CodedError('storage_unavailable', `another server can't be read: ${reasonOf(error)}`, {
    cause: error,
  });
}
