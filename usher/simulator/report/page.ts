// The report as one page that needs nothing else: figures, curves over time and the tree, for every policy.

import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { TreeCopy } from '../measures/result.ts';
import type { Comparison } from './comparison.ts';
import type { CopyData, PageData } from './page/data.ts';
import { SECTIONS } from './sections.ts';
import { NOTES, titleOf } from './table.ts';

export function pageOf(comparison: Comparison): string {
  const { scenario, seed } = comparison;
  const values: Readonly<Record<string, string>> = {
    name: escaped(scenario.name),
    title: escaped(titleOf(scenario, seed).slice(scenario.name.length + 2)),
    notes: escaped(NOTES),
    table: tableHtml(comparison),
    styles: stylesHtml(),
    scripts: scriptsHtml(comparison),
  };
  return readHere('page/page.html').replaceAll(/\[\[(\w+)\]\]/g, (_, name: string) => values[name]!);
}

function stylesHtml(): string {
  const styles = [readPackage('uplot/dist/uPlot.min.css'), readHere('page/page.css')];
  return styles.map((style) => `<style>${style}</style>`).join('\n');
}

function scriptsHtml(comparison: Comparison): string {
  const data = JSON.stringify(dataOf(comparison)).replaceAll('<', '\\u003c');
  const own = SCRIPTS.map((name) => inOne(stripTypeScriptTypes(readHere(`page/${name}.ts`))));
  return `<script type="application/json" id="data">${data}</script>
<script>${readPackage('uplot/dist/uPlot.iife.min.js')}</script>
<script type="module">${own.join('\n')}</script>`;
}

/** In the order in which one uses the other. */
const SCRIPTS = ['data', 'curves', 'tree', 'main'];

/** Modules that are put into one need neither imports nor exports. */
function inOne(code: string): string {
  return code.replaceAll(/^import .*$/gm, '').replaceAll(/^export /gm, '');
}

function dataOf({ scenario, results }: Comparison): PageData {
  const { minutes } = scenario;
  const policies = results.map(({ policy, curves, trees }) => ({
    policy,
    curves,
    trees: trees.map(({ second, stream, copies }) => ({
      second,
      stream,
      copies: copies.map(copyData),
    })),
  }));
  return { minutes, policies };
}

function copyData({ server, parent, viewers, percent, isReady }: TreeCopy): CopyData {
  return [server, parent, viewers, percent, isReady ? 1 : 0];
}

function tableHtml({ results }: Comparison): string {
  const head = `<tr><th></th>${results.map(({ policy }) => `<th>${escaped(policy)}</th>`).join('')}</tr>`;
  const rows = SECTIONS.map(({ title, lines }) => {
    const first = `<tr class="section"><th colspan="${results.length + 1}">${escaped(title)}</th></tr>`;
    const rest = lines.map(({ label, text }) => {
      const cells = results.map((result) => `<td>${escaped(text(result))}</td>`).join('');
      return `<tr><th>${escaped(label)}</th>${cells}</tr>`;
    });
    return [first, ...rest].join('\n');
  });
  return `<table>\n${head}\n${rows.join('\n')}\n</table>`;
}

function readHere(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8');
}

function readPackage(path: string): string {
  return readFileSync(fileURLToPath(import.meta.resolve(path)), 'utf8');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
