// Serves the description of the API: as a document for programs, and as a page for people.

import { readFileSync } from 'node:fs';
import { sha256 } from '../../network/hash.ts';
import { type Entity, sendEntity } from '../../network/http/entity.ts';
import type { Route } from '../../network/http/http.ts';
import type { ApiDocument } from '../../network/openapi/openapi.ts';
import { type Page, sendPage } from '../pages/html.ts';
import { partsOf } from './page.ts';

const TEMPLATE = readFileSync(new URL('api.html', import.meta.url), 'utf8');

export function apiDocumentRoutes(document: ApiDocument): Route[] {
  const page: Page = { template: pageOf(document), mayBeFramed: true };
  const entity = entityOf(document);
  return [
    {
      kind: 'openapi',
      method: 'GET',
      pattern: /^\/api\/openapi\.json$/,
      handle: (exchange) => sendEntity(exchange, entity),
    },
    {
      kind: 'page',
      method: 'GET',
      pattern: /^\/api\/docs$/,
      handle: (exchange) => sendPage(exchange, 200, page, {}),
    },
  ];
}

function entityOf(document: ApiDocument): Entity {
  const bytes = Buffer.from(JSON.stringify(document));
  return {
    views: [bytes],
    type: 'application/json',
    etag: `"${sha256(bytes, 16)}"`,
    cacheControl: 'no-cache',
  };
}

function pageOf(document: ApiDocument): string {
  const parts: Readonly<Record<string, string>> = { ...partsOf(document) };
  return TEMPLATE.replace(/<!-- (\w+) -->/g, (_, name: string) => parts[name] ?? '');
}
