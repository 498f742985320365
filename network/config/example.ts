// A configuration file with every option, what it means and what it is by default, made from the schema. Pure.

import { schema } from './schema/schema.ts';
import { flowOf, jsonSchemaOf, type SchemaNode } from './yaml.ts';

const WIDTH = 110;
const HEAD = `Configuration of one Headwater process: every option, with what it is when the file does not say it. \`headwater config
check <file>\` says what is wrong with a file. In any text, $\{NAME} is what the environment has under that name; in place of a
secret, file:<path> is what that file holds.`;

export function exampleText(): string {
  const root = jsonSchemaOf(schema);
  const defaults: unknown = schema.parse({});
  const sections = Object.entries(root.properties!).map(([key, node]) =>
    optionLines(key, node, valueIn(defaults, key)).join('\n'),
  );
  return `${[wrapped(HEAD.replaceAll('\n', ' ')).join('\n'), ...sections].join('\n\n')}\n`;
}

/** Of an option that has no default what stands there is a comment. */
function optionLines(key: string, node: SchemaNode, value: unknown): string[] {
  const words = wrapped(node.description ?? '');
  if (!node.properties) {
    const line = `${key}: ${flowOf(value === undefined ? node.example : value)}`;
    return [...words, ...entryLines(node), value === undefined ? `# ${line}` : line];
  }
  const isThere = value !== undefined;
  const inner = Object.entries(node.properties).flatMap(([name, each]) => {
    const given = isThere ? valueIn(value, name) : (each.default ?? requiredIn(node, name));
    return optionLines(name, each, given);
  });
  const lines = [`${key}:`, ...inner.map((line) => `  ${line}`)];
  return [...words, ...(isThere ? lines : lines.map((line) => `# ${line}`))];
}

/** What stands in each entry of a list. */
function entryLines({ items }: SchemaNode): string[] {
  const entries = Object.entries(items?.properties ?? {});
  return entries.flatMap(([key, { description = '' }], at) =>
    wrapped(`${at === 0 ? '- ' : '  '}${key}: ${description}`),
  );
}

function requiredIn({ required = [], properties }: SchemaNode, name: string): unknown {
  return required.includes(name) ? properties![name]!.example : undefined;
}

function valueIn(value: unknown, key: string): unknown {
  return (value as Readonly<Record<string, unknown>>)[key];
}

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(/(?<=\S) /)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`# ${word}`);
  }
  return lines;
}
