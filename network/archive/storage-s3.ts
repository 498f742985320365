// Recordings in S3-compatible object storage. The door to its client (s3mini).

import { open, stat } from 'node:fs/promises';
import { S3mini } from 's3mini';
import { CodedError, reasonOf } from '../errors.ts';
import { md5 } from '../hash.ts';
import { quoted } from '../names.ts';
import { AT_ONCE, checkedKey, isKey, type Pace, type Storage, type StoredObject } from './storage.ts';
import { forgetProgress, type Progress, readProgress, writeProgress } from './upload-progress.ts';

export interface S3Address {
  /** With the bucket: `https://s3.example.org/recordings`. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface S3Options {
  readonly address: S3Address;
  readonly fetch: typeof fetch;
  readonly pace?: Pace;
  /** Of a part of a multipart upload; the least that stores take is 5 MiB. */
  readonly partBytes?: number;
}

const PART_BYTES = 8 * 1024 * 1024;
const TIMEOUT_MS = 60_000;
const TYPE = 'application/octet-stream';
/** As many as stores list at a time. */
const PAGE = 1_000;

/** Of a file, as it is uploaded: numbered from 1, the bytes in [from, to). */
interface Piece {
  readonly number: number;
  readonly from: number;
  readonly to: number;
}

export class S3Storage implements Storage {
  readonly #client: S3mini;
  readonly #pace: Pace;
  readonly #partBytes: number;

  constructor({ address, fetch, pace = AT_ONCE, partBytes = PART_BYTES }: S3Options) {
    this.#client = new S3mini({ ...address, fetch, requestAbortTimeout: TIMEOUT_MS });
    this.#pace = pace;
    this.#partBytes = partBytes;
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    let next: string | undefined;
    do {
      const page = await this.#ask(() => this.#client.listObjectsPaged('/', prefix, PAGE, next));
      if (!page?.objects) throw new CodedError('storage_refused', 'there is no such bucket');
      for (const { Key: key, Size: bytes } of page.objects)
        if (isKey(key)) yield { key, bytes: Number(bytes) };
      next = page.nextContinuationToken;
    } while (next);
  }

  async read(key: string, from: number, to: number): Promise<Uint8Array> {
    if (to <= from) return new Uint8Array();
    try {
      const answer = await this.#client.getObjectRaw(checkedKey(key), false, from, to);
      return new Uint8Array(await answer.arrayBuffer());
    } catch (error) {
      if (statusOf(error) === 416) return new Uint8Array();
      throw explained(error);
    }
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#pace(bytes.length);
    const answer = await this.#ask(() => this.#client.putObject(checkedKey(key), bytes, TYPE));
    const isSame = etagIn(answer.headers) === md5(bytes);
    if (!isSame && md5(await this.read(key, 0, bytes.length)) !== md5(bytes)) throw differs(key);
  }

  /** What is there already, from before a stop, is not sent again. */
  async upload(key: string, path: string): Promise<void> {
    const { size } = await stat(path);
    const isThere = await this.#ask(() => this.#client.objectExists(checkedKey(key)));
    if (isThere && (await this.#isSame(key, path, size))) return;
    if (size <= this.#partBytes) await this.put(key, await readPiece(path, { from: 0, to: size }));
    else await this.#sendParts(key, path, size);
  }

  async remove(key: string): Promise<void> {
    await this.#ask(() => this.#client.deleteObject(checkedKey(key)));
  }

  signedUrl(key: string, forS: number): Promise<string> {
    return this.#client.getPresignedUrl('GET', checkedKey(key), forS);
  }

  /** Parts that have come are not sent again, also by the process after this one. */
  async #sendParts(key: string, path: string, size: number): Promise<void> {
    const begun = (await readProgress(path)) ?? (await this.#begin(key, path));
    const parts = [...begun.parts];
    for (const piece of this.#piecesOf(size).slice(parts.length)) {
      parts.push(await this.#sendPart(key, path, begun.uploadId, piece));
      await writeProgress(path, { ...begun, parts });
    }
    const list = parts.map((etag, at) => ({ partNumber: at + 1, etag }));
    await this.#tell(path, () => this.#client.completeMultipartUpload(key, begun.uploadId, list));
    await forgetProgress(path);
    if (!(await this.#isSame(key, path, size))) throw differs(key);
  }

  async #begin(key: string, path: string): Promise<Progress> {
    const uploadId = await this.#ask(() => this.#client.getMultipartUploadId(key, TYPE));
    const progress = { uploadId, parts: [] };
    await writeProgress(path, progress);
    return progress;
  }

  async #sendPart(key: string, path: string, uploadId: string, piece: Piece): Promise<string> {
    const body = await readPiece(path, piece);
    await this.#pace(body.length);
    const sent = await this.#tell(path, () => this.#client.uploadPart(key, uploadId, body, piece.number));
    return sent.etag;
  }

  /** An upload that the store does not know any more, or whose parts it does not want, begins anew with the next try. */
  async #tell<Answer>(path: string, what: () => Promise<Answer>): Promise<Answer> {
    try {
      return await this.#ask(what);
    } catch (error) {
      if ([400, 404].includes(statusOf(error) ?? 0)) await forgetProgress(path);
      throw error;
    }
  }

  /** An ETag is the digest of the bytes, or of the parts' digests; where a store makes others, the bytes are read back. */
  async #isSame(key: string, path: string, size: number): Promise<boolean> {
    if ((await this.#ask(() => this.#client.getContentLength(key))) !== size) return false;
    const pieces = this.#piecesOf(size);
    const digests: string[] = [];
    for (const piece of pieces) digests.push(md5(await readPiece(path, piece)));
    if ((await this.#ask(() => this.#client.getEtag(key))) === etagOf(digests)) return true;
    for (const [at, { from, to }] of pieces.entries())
      if (md5(await this.read(key, from, to)) !== digests[at]) return false;
    return true;
  }

  /** An empty file is one piece. */
  #piecesOf(size: number): Piece[] {
    const count = Math.max(1, Math.ceil(size / this.#partBytes));
    return Array.from({ length: count }, (_, at) => ({
      number: at + 1,
      from: at * this.#partBytes,
      to: Math.min(size, (at + 1) * this.#partBytes),
    }));
  }

  async #ask<Answer>(question: () => Promise<Answer>): Promise<Answer> {
    try {
      return await question();
    } catch (error) {
      throw explained(error);
    }
  }
}

/** As stores make them of an upload in parts, and of one without. */
function etagOf(digests: readonly string[]): string {
  const [only = '', ...more] = digests;
  return more.length === 0 ? only : `${md5(Buffer.from(digests.join(''), 'hex'))}-${digests.length}`;
}

function etagIn(headers: Headers): string {
  return (headers.get('etag') ?? '').replaceAll('"', '');
}

function differs(key: string): CodedError {
  return new CodedError('storage_unavailable', `${quoted(key)} is not there what it is here`);
}

async function readPiece(path: string, { from, to }: Omit<Piece, 'number'>): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const part = Buffer.allocUnsafe(to - from);
    const { bytesRead } = await handle.read(part, 0, part.length, from);
    if (bytesRead === part.length) return part;
    throw new CodedError('storage_unavailable', `'${path}' is shorter than it was`);
  } finally {
    await handle.close();
  }
}

/** What a store says no to, it says no to again; all else passes. */
function explained(error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  const status = statusOf(error) ?? 0;
  const refuses = status >= 400 && status < 500 && status !== 408 && status !== 429;
  const code = status === 404 ? 'not_stored' : refuses ? 'storage_refused' : 'storage_unavailable';
  return new CodedError(code, reasonOf(error), { cause: error });
}

/** The client wraps some of its errors in others. */
function statusOf(error: unknown): number | undefined {
  for (let at = error; at instanceof Error; at = at.cause)
    if ('status' in at && typeof at.status === 'number') return at.status;
  return undefined;
}
