// `headwater explain`: asks an usher where a viewer would be sent from an address, and why there.

import { parseArgs } from 'node:util';
import { CodedError } from '../../network/errors.ts';
import type { GetText } from '../../network/http/dial.ts';
import type { Explained } from '../explained.ts';
import { answerOf, JSON_OPTION, readUsage, TIMEOUT_MS, USHER_OPTION, usherUrl } from './ask-usher.ts';
import { explainText } from './explain-text.ts';

export const EXPLAIN_HELP = `  headwater explain <stream> <ip> [--usher http://127.0.0.1:8080] [--json]
                           where a viewer would be sent, and what each server would cost by which term`;

const MAX_BYTES = 16 * 1024 * 1024;

/** Throws `bad_usage`, or `no_answer` with what the usher says is wrong. */
export async function readExplanation(args: readonly string[], getText: GetText): Promise<string> {
  const { url, json } = readUsage(EXPLAIN_HELP, () => {
    const options = { usher: USHER_OPTION, json: JSON_OPTION };
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [stream, address, ...others] = positionals;
    if (stream === undefined || address === undefined || others.length > 0)
      throw new Error(`it takes a stream and an IP address; got ${positionals.length} words`);
    const query = new URLSearchParams({ stream, address });
    return { url: usherUrl(values.usher, `/api/explain?${query}`), json: values.json };
  });
  const value = await answerOf(url, getText(url, TIMEOUT_MS, MAX_BYTES));
  if (!Array.isArray(value.servers) || !Array.isArray(value.choices))
    throw new CodedError('no_answer', `${url} is no usher's: it answers with something else`);
  return json ? `${JSON.stringify(value, undefined, 2)}\n` : explainText(value as unknown as Explained);
}
