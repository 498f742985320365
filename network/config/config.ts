// Configuration: command line over environment over file over defaults, validated and frozen. The door to process.env.

import { readFileSync } from 'node:fs';
import { CodedError, reasonOf } from '../errors.ts';
import type { Flags } from './options.ts';
import { override } from './override.ts';
import { resolveReferences, type Unresolved } from './references.ts';
import { type Config, schema } from './schema/schema.ts';
import { isSecretKey } from './secret-keys.ts';
import { configOf, type Place, readPlace, writePlace } from './worker.ts';
import { explain, parseYaml, type Whereabouts } from './yaml.ts';

/** Reads the configuration. Throws `bad_config` with everything that is wrong, each with its place and value. */
export function readConfig(flags: Flags = {}, environment = process.env): Config {
  const { value: written, whereabouts } = readFile(flags.config);
  const unresolved: Unresolved[] = [];
  const raw = resolveReferences(written, environment, (one) => unresolved.push(one)) as typeof written;
  const overridden = override(raw, flags, environment);
  const parsed = schema.safeParse(raw, { reportInput: true });
  if (parsed.success && unresolved.length === 0) {
    const place = ownPlace(environment);
    return deepFreeze(place ? configOf(parsed.data, place) : parsed.data);
  }
  const ofFile: Whereabouts = (path) =>
    path.some((_, index) => overridden.has(path.slice(0, index + 1).join('.'))) ? '' : whereabouts(path);
  const missing = unresolved.map(({ path, why }) => `${ofFile(path)}${path.join('.')}: ${why}`);
  // Of what is not there nothing else can be wrong.
  const told = new Set(unresolved.map(({ path }) => path.join('.')));
  const issues = parsed.error?.issues.filter(({ path }) => !told.has(path.join('.'))) ?? [];
  const wrong = issues.length > 0 ? [explain({ issues }, ofFile, isSecretKey)] : [];
  throw new CodedError('bad_config', [...missing, ...wrong].join('\n'));
}

/** Which of several servers of a machine this process is; undefined when it is not one of them. */
export function ownPlace(environment = process.env): Place | undefined {
  return readPlace(environment['HEADWATER_PLACE'] ?? '');
}

/** This process's own, for one that is to be that server. */
export function environmentOf(place: Place): NodeJS.ProcessEnv {
  return { ...process.env, HEADWATER_PLACE: writePlace(place) };
}

function readFile(file: unknown): { value: Record<string, unknown>; whereabouts: Whereabouts } {
  if (typeof file !== 'string') return { value: {}, whereabouts: () => '' };
  try {
    const { value, lineOf } = parseYaml(readFileSync(file, 'utf8'));
    if (Array.isArray(value) || typeof (value ?? {}) !== 'object') {
      throw new Error('it should hold keys and values');
    }
    const whereabouts: Whereabouts = (path) => `${file}:${lineOf(path)}: `;
    // A section of which all is in comments says nothing.
    const said = Object.entries(value ?? {}).filter(([, each]) => each !== null);
    return { value: Object.fromEntries(said), whereabouts };
  } catch (error) {
    throw new CodedError('bad_config', `configuration file '${file}': ${reasonOf(error)}`, { cause: error });
  }
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value))
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  return Object.freeze(value);
}
