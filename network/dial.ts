// The door to HTTP requests of our own (undici).

import { request } from 'undici';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

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
