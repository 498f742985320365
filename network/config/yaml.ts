// The door to YAML and to what a file may say (zod): values that know on which line they stand, and errors that tell it.

import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  stringify,
} from 'yaml';
import { z } from 'zod';

export { z } from 'zod';

/** Keys and indexes from the top of a file down to a value. */
export type Path = readonly PropertyKey[];

export interface YamlText {
  /** Null when the text is empty. */
  readonly value: unknown;
  /** Line, from 1, of a key or of an entry in a list; of the nearest around it when it is not there. */
  lineOf(path: Path): number;
}

/** Where a value stands, as an error tells it, with what separates it from the key; empty when it stands in no file. */
export type Whereabouts = (path: Path) => string;

/** Rejects what is not YAML, with the line. */
export function parseYaml(text: string): YamlText {
  const lineCounter = new LineCounter();
  // Its warnings go to the terminal past the logger; what they warn of, a schema refuses.
  const document = parseDocument(text, { lineCounter, prettyErrors: false, logLevel: 'error' });
  const [error] = document.errors;
  if (error) throw new Error(`line ${lineCounter.linePos(error.pos[0]).line}: ${error.message}`);
  return {
    value: document.toJS(),
    lineOf: (path) => lineCounter.linePos(offsetOf(document, path)).line,
  };
}

/**
 * What is wrong, a line each: where, key, rule, and the value unless its key is one of a secret. Secrets must not reach a log
 * or a terminal, neither alone nor inside of what is wrong around them. Values are told when the schema was applied with `reportInput`.
 */
export function explain(
  { issues }: Pick<z.ZodError, 'issues'>,
  whereabouts: Whereabouts,
  isSecret: (key: string) => boolean,
): string {
  return issues.flatMap((issue) => issueLines(issue, whereabouts, isSecret)).join('\n');
}

function issueLines(
  issue: z.core.$ZodIssue,
  whereabouts: Whereabouts,
  isSecret: (key: string) => boolean,
): string[] {
  const { path, input } = issue;
  if (issue.code === 'unrecognized_keys') {
    const paths = issue.keys.map((key) => [...path, key]);
    return paths.map((each) => `${whereabouts(each)}${each.join('.')}: there is no such key`);
  }
  const key = path.join('.') || 'the whole';
  const isTold = ['string', 'number', 'boolean'].includes(typeof input) && !isSecret(key);
  return [`${whereabouts(path)}${key}: ${ruleOf(issue)}${isTold ? ` (got ${JSON.stringify(input)})` : ''}`];
}

/** What is wrong with the name of a key is told one level further in. */
function ruleOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_key' ? issue.issues.map(({ message }) => message).join('; ') : issue.message;
}

export function formatYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0 });
}

/** A value in one line. */
export function flowOf(value: unknown): string {
  const options = { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false } as const;
  return stringify(value, options).trimEnd();
}

/** What a schema says of a value, as JSON Schema; `example` is of the schema's own metadata. */
export interface SchemaNode {
  readonly description?: string;
  readonly example?: unknown;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
}

/** Of what is read, not of what comes of it. */
export function jsonSchemaOf(schema: z.ZodType): SchemaNode {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as SchemaNode;
}

function offsetOf(document: Document.Parsed, path: Path): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const key of path) {
    const [at, inner] = entryOf(isAlias(node) ? node.resolve(document) : node, key);
    if (!isNode(at)) break;
    offset = at.range?.[0] ?? offset;
    node = inner;
  }
  return offset;
}

/** The key of an entry in a map, or the entry of a list itself; then its value. */
function entryOf(node: unknown, key: PropertyKey): readonly [at: unknown, value: unknown] {
  if (isSeq(node)) return [node.items[Number(key)], node.items[Number(key)]];
  if (!isMap(node)) return [undefined, undefined];
  const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
  return [pair?.key, pair?.value];
}
