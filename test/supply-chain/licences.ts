// The command that writes docs/licences.md: npm run licences. What each package that Headwater runs with is licensed under.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LockedPackage, lockedPackages, nameOf, ROOT, readManifest } from './lockfile.ts';

export const FILE = join(ROOT, 'docs/licences.md');

const HEAD = `# Licences of what is installed

What Headwater runs with, and the licence that each package names in what it installs; what only tests need is not here. Data have
conditions of their own: see NOTICE. This page is written by \`npm run licences\`, and a test holds it to what is installed.

`;

export function licencesPage(): string {
  const rows = lockedPackages()
    .filter(({ dev }) => dev !== true)
    .map((locked) => [nameOf(locked), locked.version ?? '', licenceOf(locked)]);
  const sorted = rows.sort(([one = ''], [other = '']) => (one < other ? -1 : 1));
  return HEAD + table([['package', 'version', 'licence'], ...sorted]);
}

/** The first row is the head. The same package in the same version may be installed more than once. */
function table([head = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |\n`;
  const rule = line(widths.map((width) => '-'.repeat(width)));
  return line(head) + rule + [...new Set(rows.map(line))].join('');
}

/** As the package itself says; the lockfile may not know. */
export function licenceOf({ path }: LockedPackage): string {
  return readManifest(path).license ?? 'none named';
}

if (process.argv[1] === import.meta.filename) writeFileSync(FILE, licencesPage());
