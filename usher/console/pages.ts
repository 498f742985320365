// Serves the console's pages to operators. What is in them is filled in by its modules.

import { readFileSync } from 'node:fs';
import type { Route } from '../../network/http/http.ts';
import { isPlaceName, isStreamName, PLACE_NAME_RULE, STREAM_NAME_RULE } from '../../network/names.ts';
import type { Operators } from '../operators/operators.ts';
import { importsOf } from '../pages/assets.ts';
import { type Page, sendPage } from '../pages/html.ts';

export interface ConsolePageOptions {
  readonly operators: Pick<Operators, 'admitToPage'>;
}

interface ConsolePage {
  /** Of its file, and of its module. */
  readonly file: string;
  readonly path: RegExp;
  /** Of the section that it belongs to, as the head says it. */
  readonly section: string;
  readonly title: string;
  /** Whether what the path names may be called so. */
  readonly isName?: (name: string) => boolean;
  readonly rule?: string;
  readonly libraries?: readonly string[];
}

const MAP = ['d3-array.min.js', 'd3-geo.min.js', 'topojson-client.min.js'];
const CURVES = ['uPlot.iife.min.js'];
const STREAM = { isName: isStreamName, rule: STREAM_NAME_RULE, libraries: CURVES };
const PLACE = { isName: isPlaceName, rule: PLACE_NAME_RULE, libraries: CURVES };

const PAGES: readonly ConsolePage[] = [
  { file: 'network', path: /^\/console$/, section: '/console', title: 'Network', libraries: MAP },
  { file: 'streams', path: /^\/console\/streams$/, section: '/console/streams', title: 'Streams' },
  { file: 'stream', path: named('streams'), section: '/console/streams', title: '{{name}}', ...STREAM },
  { file: 'servers', path: /^\/console\/servers$/, section: '/console/servers', title: 'Servers' },
  { file: 'server', path: named('servers'), section: '/console/servers', title: '{{name}}', ...PLACE },
  { file: 'site', path: named('sites'), section: '/console', title: '{{name}}', ...PLACE },
  {
    file: 'explain',
    path: /^\/console\/explain$/,
    section: '/console/explain',
    title: 'Explain',
    libraries: MAP,
  },
  { file: 'events', path: /^\/console\/events$/, section: '/console/events', title: 'Events' },
];

export function consolePageRoutes({ operators }: ConsolePageOptions): Route[] {
  const nothing = readNothing();
  return PAGES.map((page) => {
    const made = readConsolePage(page);
    return {
      kind: 'console',
      method: 'GET',
      pattern: page.path,
      handle: (exchange) => {
        if (!operators.admitToPage(exchange)) return;
        const { name = '' } = exchange.params;
        if (page.isName?.(name) === false) sendPage(exchange, 404, nothing, { rule: page.rule ?? '' });
        else sendPage(exchange, 200, made, { name });
      },
    };
  });
}

function named(section: string): RegExp {
  return new RegExp(`^/console/${section}/(?<name>[^/]+)$`);
}

function readConsolePage({ file, section, title, libraries = [] }: ConsolePage): Page {
  const module = `usher/console/page/${file}.ts`;
  const head = [
    ...libraries.map((name) => `<script defer src="/assets/${name}"></script>`),
    ...(libraries === CURVES ? ['<link rel="stylesheet" href="/assets/uPlot.min.css">'] : []),
    ...[...importsOf(module)].map((path) => `<link rel="modulepreload" href="/assets/${path}">`),
    `<script type="module" src="/assets/${module}"></script>`,
  ];
  const template = read('shell')
    .replace('<!-- content -->', () => read(file))
    .replace('<!-- drain -->', () => read('drain'))
    .replace('<!-- player -->', () => read('../../pages/player'))
    .replace('<!-- head -->', () => head.join('\n  '))
    .replace('{{title}}', () => title)
    .replace(`<a href="${section}">`, `<a href="${section}" aria-current="page">`);
  return { template, mayBeFramed: false };
}

function readNothing(): Page {
  return { template: read('../../pages/no-such-page'), mayBeFramed: false };
}

function read(file: string): string {
  return readFileSync(new URL(`pages/${file}.html`, import.meta.url), 'utf8');
}
