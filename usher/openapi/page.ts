// The OpenAPI document as a page for people: no script in it, and everything on one page to be searched. Pure.

import type { ApiDocument } from '../../network/openapi/openapi.ts';
import { escapeHtml } from '../pages/html.ts';
import { prose, type Schema, schemaText } from './schema-text.ts';

/** What `{{...}}` in the template stands for, as HTML. */
export interface Parts {
  readonly description: string;
  readonly contents: string;
  readonly sections: string;
  readonly schemas: string;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Schema;
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>;

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly servers?: readonly { readonly description?: string }[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content; readonly required?: boolean };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Content; readonly headers?: object }>
  >;
}

interface Placed {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

export function partsOf(document: ApiDocument): Parts {
  const tags = document.tags ?? [];
  const all = operationsIn(document);
  const of = (tag: string): Placed[] => all.filter(({ operation }) => operation.tags.includes(tag));
  const schemas = Object.entries(document.components?.schemas ?? {});
  return {
    description: prose(document.info.description ?? ''),
    contents: tags.map(({ name }) => contentsOf(name, of(name))).join('\n'),
    sections: tags.map(({ name, description = '' }) => section(name, description, of(name))).join('\n'),
    schemas: schemas.map(([name, schema]) => schemaBlock(name, schema as Schema)).join('\n'),
  };
}

function operationsIn({ paths = {} }: ApiDocument): Placed[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods as unknown as Record<string, Operation>).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
}

function contentsOf(tag: string, placed: readonly Placed[]): string {
  const links = placed.map(
    ({ operation: { operationId, summary } }) =>
      `<li><a href="#${operationId}">${escapeHtml(summary)}</a></li>`,
  );
  return `<h2><a href="#${tag}">${tag}</a></h2>\n<ul>${links.join('\n')}</ul>`;
}

function section(tag: string, description: string, placed: readonly Placed[]): string {
  const blocks = placed.map(operationBlock).join('\n');
  return `<section aria-labelledby="${tag}"><h2 id="${tag}">${tag}</h2>\n<p class="quiet">${prose(description)}</p>\n${blocks}</section>`;
}

function operationBlock({ method, path, operation }: Placed): string {
  const { operationId, summary, description, requestBody } = operation;
  return `<article class="operation" id="${operationId}">
<h3><span class="method ${method.toLowerCase()}">${method}</span> <code>${pathText(path)}</code></h3>
<p>${prose(summary)}.${description ? ` ${prose(description)}` : ''}</p>
<p class="quiet">${askersOf(operation)}${whereOf(operation)}</p>
${parametersOf(operation)}
${requestBody ? `<h4>Body${requestBody.required ? '' : ', if any'}</h4>${contentText(requestBody.content)}` : ''}
<h4>Answers</h4>
${answersOf(operation)}
</article>`;
}

/** A long path breaks before a slash. */
function pathText(path: string): string {
  return escapeHtml(path)
    .replaceAll('/', '<wbr>/')
    .replaceAll(/\{(\w+)\}/g, '<var>{$1}</var>');
}

const CREDENTIALS: Readonly<Record<string, string>> = {
  operatorToken: 'an operator’s token (<code>Authorization: Bearer</code>)',
  operatorCookie: 'an operator signed in on this browser',
  publishKey: 'the key that publishes the stream (<code>Authorization: Bearer</code>)',
  publishKeyInQuery: '<code>?key=</code>',
  playToken: '<code>?token=</code> where playback is signed',
};

function askersOf({ security }: Operation): string {
  const names = security.flatMap((requirement) => Object.keys(requirement));
  return names.length === 0
    ? 'For anybody.'
    : `With ${names.map((name) => CREDENTIALS[name] ?? name).join(' or ')}.`;
}

function whereOf({ servers }: Operation): string {
  if (!servers) return '';
  return servers.length > 1 ? ' Of every process.' : ' Of the server that usher names.';
}

function parametersOf({ parameters = [] }: Operation): string {
  if (parameters.length === 0) return '';
  const rows = parameters.map(({ name, in: place, required, description, schema = {} }) => {
    const words = description ?? schema.description ?? '';
    const pattern = schema.pattern ? ` <code class="quiet">${escapeHtml(schema.pattern)}</code>` : '';
    const kind = place + (required ? '' : ', optional');
    return `<tr><th scope="row"><code>${escapeHtml(name)}</code></th><td class="quiet">${kind}</td><td>${prose(words)}${pattern || ` ${schemaText(schema)}`}</td></tr>`;
  });
  return `<div class="wide"><table>${rows.join('\n')}</table></div>`;
}

function contentText(content: Content): string {
  return Object.entries(content)
    .map(([type, { schema }]) => {
      const hasShape = schema && schema.type !== 'string';
      return `<p><code>${escapeHtml(type)}</code></p>${hasShape ? `<pre tabindex="0">${schemaText(schema)}</pre>` : ''}`;
    })
    .join('\n');
}

/** Problem documents are all of one shape: a line each is enough. */
function answersOf({ responses }: Operation): string {
  const rows = Object.entries(responses).map(([status, { description, content = {} }]) => {
    const isProblem = 'application/problem+json' in content;
    const shape = isProblem ? '' : contentText(content);
    return `<dt><code>${status}</code></dt><dd>${prose(description)}${shape}</dd>`;
  });
  return `<dl class="answers">${rows.join('\n')}</dl>`;
}

function schemaBlock(name: string, schema: Schema): string {
  const words = schema.description ? `<p>${prose(schema.description)}</p>` : '';
  return `<article class="operation" id="schema-${name}"><h3>${name}</h3>${words}<pre tabindex="0">${schemaText(schema)}</pre></article>`;
}
