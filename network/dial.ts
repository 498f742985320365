// The door to HTTP requests of our own (undici).

import { request } from 'undici';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export type GetText = (url: string, timeoutMs: number, maxBytes: number) => Promise<Answer>;

/** Rejects when there is no whole answer within `timeoutMs`, or one longer than `maxBytes`. */
export const getText: GetText = async (url, timeoutMs, maxBytes) => {
  const { statusCode, body } = await request(url, { signal: AbortSignal.timeout(timeoutMs) });
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > maxBytes) throw new Error(`the answer is longer than ${maxBytes} bytes`);
    pieces.push(piece);
  }
  return { status: statusCode, text: Buffer.concat(pieces).toString('utf8') };
};

/** Posts JSON and returns the answer, its body cut at 64 KiB. Rejects when there is none within `timeoutMs`. */
export type PostJson = (url: string, value: unknown, timeoutMs: number) => Promise<Answer>;

const MAX_BODY_BYTES = 64 * 1024;

export const postJson: PostJson = async (url, value, timeoutMs) => {
  const { statusCode, body } = await request(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(value),
    signal: AbortSignal.timeout(timeoutMs),
  });
  let text = '';
  for await (const piece of body.setEncoding('utf8')) {
    text += piece;
    if (text.length > MAX_BODY_BYTES) break;
  }
  return { status: statusCode, text: text.slice(0, MAX_BODY_BYTES) };
};
