// What a configuration file leaves to others to say: `${NAME}` is of the environment, `file:<path>` of a file with one secret.

import { readFileSync } from 'node:fs';
import { reasonOf } from '../errors.ts';
import { isSecretPath } from './secret-keys.ts';
import type { Path } from './yaml.ts';

/** Something that is referred to and not there. */
export interface Unresolved {
  readonly path: Path;
  readonly why: string;
}

/** Gives the value with what it refers to; tells of what is not there, and leaves that as it stands. */
export function resolveReferences(
  value: unknown,
  environment: NodeJS.ProcessEnv,
  onUnresolved: (unresolved: Unresolved) => void,
  path: Path = [],
): unknown {
  if (typeof value === 'string') {
    try {
      return resolveText(value, path, environment);
    } catch (error) {
      onUnresolved({ path, why: reasonOf(error) });
      return value;
    }
  }
  const inside = (inner: unknown, key: string | number): unknown =>
    resolveReferences(inner, environment, onUnresolved, [...path, key]);
  if (Array.isArray(value)) return value.map(inside);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inside(inner, key)]));
}

function resolveText(text: string, path: Path, environment: NodeJS.ProcessEnv): string {
  const [, file] = (isSecretPath(path) && /^file:(.+)$/.exec(text)) || [];
  if (file === undefined) return filled(text, environment);
  return readFileSync(filled(file, environment), 'utf8').replace(/\r?\n$/, '');
}

function filled(text: string, environment: NodeJS.ProcessEnv): string {
  return text.replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = environment[name];
    if (value === undefined) throw new Error(`the environment has no ${name}`);
    return value;
  });
}
