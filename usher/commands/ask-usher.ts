// What commands that ask an usher have in common: where it is, and how a mistake and a refusal are told.

import { CodedError, reasonOf } from '../../network/errors.ts';
import type { Answer } from '../../network/http/dial.ts';
import { quoted } from '../../network/names.ts';

/** For `parseArgs`. */
export const USHER_OPTION = { type: 'string', default: 'http://127.0.0.1:8080' } as const;
export const JSON_OPTION = { type: 'boolean', default: false } as const;

export const TIMEOUT_MS = 10_000;

/** Reads arguments. What `read` throws becomes `bad_usage`, with how the command is used below it. */
export function readUsage<Read>(help: string, read: () => Read): Read {
  try {
    return read();
  } catch (error) {
    throw new CodedError('bad_usage', `${reasonOf(error)}\n\n${help}`, { cause: error });
  }
}

/** Takes one option and its value out of arguments whose others somebody else reads. */
export function takeOption(
  args: readonly string[],
  name: string,
): { readonly value: string | undefined; readonly rest: readonly string[] } {
  const at = args.indexOf(name);
  if (at < 0) return { value: undefined, rest: args };
  return { value: args[at + 1] ?? '', rest: args.toSpliced(at, 2) };
}

/** Where a path is at an usher. Throws when that is no usher's URL. */
export function usherUrl(usher: string, path: string): string {
  if (/^https?:$/.test(URL.parse(usher)?.protocol ?? '')) return new URL(path, usher).href;
  throw new Error(`an usher's URL is http://<host>:<port>; got ${quoted(usher)}`);
}

/** The JSON that is answered with 2xx. Throws `no_answer` when nobody answers, or with what the usher says is wrong. */
export async function answerOf(
  url: string,
  asked: Promise<Answer>,
): Promise<Readonly<Record<string, unknown>>> {
  const { status, text } = await asked.catch((error: unknown) => {
    throw new CodedError('no_answer', `no answer from ${url}: ${reasonOf(error)}`, { cause: error });
  });
  const value = parse(text);
  if (status >= 200 && status < 300 && value) return value;
  const detail = typeof value?.detail === 'string' ? value.detail : quoted(text);
  throw new CodedError('no_answer', `${url} answers with status ${status}: ${detail}`);
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
