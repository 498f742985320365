// What goes before the configuration file: the environment, and the command line before that.

import type { Flags } from './options.ts';

/** Puts over the values of the file what the environment and then the flags say. Returns the keys of those. */
export function override(
  raw: Record<string, unknown>,
  flags: Flags,
  environment: NodeJS.ProcessEnv,
): ReadonlySet<string> {
  const values = new Map<string, unknown>();
  const secrets = environment['HEADWATER_SECRETS'];
  if (secrets) values.set('secrets', secrets.split(','));
  for (const [key, password] of redisPasswords(raw, environment)) values.set(key, password);
  for (const [key, credential] of s3Credentials(raw, environment)) values.set(key, credential);
  for (const [key, secret] of oidcSecret(raw, environment)) values.set(key, secret);
  const { config: _, ...said } = flags;
  for (const [name, value] of Object.entries(said))
    if (value !== undefined) values.set(PLACES[name] ?? name, flagValue(name, value));
  for (const [key, value] of values) put(raw, key.split('.'), value);
  return new Set(values.keys());
}

/** Where an option stands in the configuration that has another name there. */
const PLACES: Readonly<Record<string, string>> = { beatMs: 'playback.beatMs' };

function flagValue(name: string, value: string | boolean): unknown {
  const isNumeric = /(?:Port|Ms)$/.test(name);
  return isNumeric && /^\d+$/.test(String(value)) ? Number(value) : value;
}

/** For the Redis that the file names: where none is, they are meant for another process. */
function redisPasswords(
  raw: Record<string, unknown>,
  environment: NodeJS.ProcessEnv,
): readonly (readonly [key: string, password: string])[] {
  const { redis } = (raw['state'] ?? {}) as { readonly redis?: unknown };
  if (typeof redis !== 'object' || redis === null) return [];
  const { HEADWATER_REDIS_PASSWORD: password, HEADWATER_REDIS_SENTINEL_PASSWORD: sentinelPassword } =
    environment;
  return [
    ...(password ? [['state.redis.password', password] as const] : []),
    ...(sentinelPassword ? [['state.redis.sentinelPassword', sentinelPassword] as const] : []),
  ];
}

/** For the object store that the file names. */
function s3Credentials(
  raw: Record<string, unknown>,
  environment: NodeJS.ProcessEnv,
): readonly (readonly [key: string, credential: string])[] {
  const { storage } = (raw['archive'] ?? {}) as { readonly storage?: { readonly s3?: unknown } };
  if (typeof storage?.s3 !== 'object' || storage.s3 === null) return [];
  const { HEADWATER_S3_ACCESS_KEY_ID: id, HEADWATER_S3_SECRET_ACCESS_KEY: secret } = environment;
  return [
    ...(id ? [['archive.storage.s3.accessKeyId', id] as const] : []),
    ...(secret ? [['archive.storage.s3.secretAccessKey', secret] as const] : []),
  ];
}

/** For the provider that the file names. */
function oidcSecret(
  raw: Record<string, unknown>,
  environment: NodeJS.ProcessEnv,
): readonly (readonly [key: string, secret: string])[] {
  const { oidc } = (raw['operators'] ?? {}) as { readonly oidc?: unknown };
  const { HEADWATER_OIDC_CLIENT_SECRET: secret } = environment;
  if (typeof oidc !== 'object' || oidc === null || !secret) return [];
  return [['operators.oidc.clientSecret', secret]];
}

function put(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path;
  if (rest.length === 0) target[key!] = value;
  else {
    target[key!] ??= {};
    const inner = target[key!];
    if (typeof inner === 'object') put(inner as Record<string, unknown>, rest, value);
  }
}
