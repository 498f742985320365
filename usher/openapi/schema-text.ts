// A schema of the OpenAPI document as people read it: its shape, with what each field means behind it. Pure.

import { escapeHtml } from '../pages/html.ts';

/** The part of JSON Schema that the document has. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly example?: unknown;
  readonly examples?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
}

const STEP = '  ';

/** HTML for a `<pre>`. */
export function schemaText(schema: Schema, indent = ''): string {
  const { $ref, anyOf, oneOf = anyOf, enum: values, const: value } = schema;
  if ($ref) return refLink($ref);
  if (oneOf) return unionText(oneOf, indent);
  if (values) return values.map(literal).join(' | ');
  if (value !== undefined) return literal(value);
  if (schema.items) return `[${schemaText(schema.items, indent)}]`;
  if (schema.properties) return objectText(schema, indent);
  const { additionalProperties: row, type = 'any' } = schema;
  if (typeof row === 'object' && Object.keys(row).length > 0)
    return `{ &lt;name&gt;: ${schemaText(row, indent)} }`;
  return escapeHtml([type].flat().join(' | '));
}

export function nameIn(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1);
}

/** Backticks are code. */
export function prose(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}

function refLink(ref: string): string {
  const name = escapeHtml(nameIn(ref));
  return `<a href="#schema-${name}">${name}</a>`;
}

/** Null last, as `string | null`; objects each on lines of their own. */
function unionText(schemas: readonly Schema[], indent: string): string {
  return schemas.map((schema) => schemaText(schema, indent)).join(' | ');
}

function objectText({ properties = {}, required = [] }: Schema, indent: string): string {
  const inner = indent + STEP;
  const lines = Object.entries(properties).map(([name, schema]) => {
    const mark = required.includes(name) ? '' : '?';
    const note = schema.description ? `  <i>${prose(schema.description)}</i>` : '';
    return `${inner}${escapeHtml(name)}${mark}: ${schemaText(schema, inner)}${note}`;
  });
  return `{\n${lines.join('\n')}\n${indent}}`;
}

function literal(value: unknown): string {
  return escapeHtml(JSON.stringify(value));
}
