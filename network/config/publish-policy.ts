// Who owns a stream, and may publish it: who has a signed key, a key from the configuration, or one that the webhook says yes to.

import { reasonOf } from '../errors.ts';
import { equalSecrets } from '../hash.ts';
import type { PostJson } from '../http/dial.ts';
import { verifyToken } from '../token.ts';
import type { Config } from './schema/schema.ts';

export interface PublishPolicyOptions {
  /** Secrets that sign publish keys. */
  readonly secrets: readonly string[];
  /** Whether somebody made keys part of this cluster; without, a key is not asked of this machine itself. */
  readonly requireKey: boolean;
  readonly keys: readonly { readonly stream: string; readonly key: string }[];
  readonly webhook?: string | undefined;
  readonly postJson: PostJson;
  /** Keys that are bad before their time. */
  readonly revocations: { isRevoked(key: string): Promise<boolean> };
}

export interface Applicant {
  /** What somebody would do with the stream: publish it, or do as they like with its recordings. */
  readonly action: 'publish' | 'recordings';
  readonly stream: string;
  readonly key: string | undefined;
  readonly remoteAddress: string;
  readonly nowMs: number;
}

export type PublishVerdict =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'denied'; readonly reason: string };

export type PublishPolicy = (applicant: Applicant) => Promise<PublishVerdict>;

const WEBHOOK_TIMEOUT_MS = 5_000;
const ALLOWED: PublishVerdict = { kind: 'allowed' };

export function publishPolicyOf(
  { publish, secrets: configured }: Pick<Config, 'publish' | 'secrets'>,
  secrets: readonly string[],
  postJson: PostJson,
  revocations: PublishPolicyOptions['revocations'],
): PublishPolicy {
  const { keys, webhook } = publish;
  const requireKey = configured.length > 0 || keys.length > 0 || webhook !== undefined;
  return createPublishPolicy({ secrets, requireKey, keys, webhook, postJson, revocations });
}

export function createPublishPolicy(options: PublishPolicyOptions): PublishPolicy {
  return async (applicant) => {
    const { action, stream, key, nowMs } = applicant;
    if (!options.requireKey && isLoopback(applicant.remoteAddress)) return ALLOWED;
    if (key === undefined) return denied(WITHOUT_KEY[action](stream));
    if (await options.revocations.isRevoked(key)) return denied(`the key for '${stream}' was revoked`);
    const signed = verifyToken(options.secrets, key, { purpose: 'publish', stream, nowMs });
    if (signed.kind === 'valid' || isListed(options.keys, stream, key)) return ALLOWED;
    if (options.webhook) return askWebhook(options.webhook, options.postJson, { ...applicant, key });
    return denied(options.keys.length > 0 ? `the key is not for publishing '${stream}'` : signed.reason);
  };
}

const WITHOUT_KEY = {
  publish: (stream: string) => `publishing '${stream}' needs a key: push to ${stream}?key=<key>`,
  recordings: (stream: string) => `the recordings of '${stream}' need its key: Authorization: Bearer <key>`,
};

function denied(reason: string): PublishVerdict {
  return { kind: 'denied', reason };
}

export function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address);
}

/** Every entry is compared, so that the time taken does not tell which one came close. */
function isListed(keys: PublishPolicyOptions['keys'], stream: string, key: string): boolean {
  let found = false;
  for (const entry of keys) {
    const isSame = equalSecrets(entry.key, key);
    if (isSame && entry.stream === stream) found = true;
  }
  return found;
}

/** Any 2xx means yes; the body of any other answer may hold a `reason` for the broadcaster. A silent webhook means no. */
async function askWebhook(
  webhook: string,
  postJson: PostJson,
  applicant: Applicant,
): Promise<PublishVerdict> {
  try {
    const answer = await postJson(webhook, applicant, WEBHOOK_TIMEOUT_MS);
    if (answer.status >= 200 && answer.status < 300) return ALLOWED;
    return denied(reasonIn(answer.text) ?? `the key was refused (status ${answer.status})`);
  } catch (error) {
    return denied(`the key can't be checked now: ${reasonOf(error)}`);
  }
}

function reasonIn(text: string): string | undefined {
  try {
    const { reason } = JSON.parse(text) as { reason?: unknown };
    return typeof reason === 'string' ? reason.slice(0, 200) : undefined;
  } catch {
    return undefined;
  }
}
