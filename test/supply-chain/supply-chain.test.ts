// What is installed is what was looked at: exact versions, known bytes, no scripts but one, and licences that go with ours.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FILE, licenceOf, licencesPage } from './licences.ts';
import { lockedPackages, nameOf, ROOT, readManifest } from './lockfile.ts';

/** What the Apache License goes with, without conditions on what is built from both. */
const ALLOWED = /^(?:MIT|ISC|BSD-2-Clause|BSD-3-Clause|Apache-2\.0|0BSD)$/;
/** Data, whose makers are named in NOTICE. */
const ATTRIBUTED = /^SEE LICENSE IN [\w -]+ \(CC-BY-4\.0\)$/;
const locked = lockedPackages();
const manifest = readManifest();

test('a package is depended on in one exact version', () => {
  const wanted = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  expect(wanted.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  const versions = new Map(locked.map(({ path, version }) => [path, version]));
  for (const [name, version] of wanted)
    expect([name, versions.get(`node_modules/${name}`)]).toEqual([name, version]);
});

/** Tools of those who work on other machines than the one that wrote the lockfile are the exception. */
test('the lockfile says what the bytes of every package are that Headwater runs with, wherever one installs', () => {
  const unknown = locked.filter(
    ({ integrity, optional, dev }) => !(optional && dev) && !/^sha512-/.test(integrity ?? ''),
  );
  expect(unknown.map(nameOf)).toEqual([]);
});

test('no package runs a script when it is installed but those that are named', () => {
  const scripted = locked.filter(({ hasInstallScript }) => hasInstallScript).map(nameOf);
  expect(scripted).toEqual(Object.keys(manifest.allowScripts ?? {}));
  expect(scripted).toEqual(['node']);
});

test('what Headwater runs with has licences that go with its own', () => {
  const runs = locked.filter(({ dev }) => dev !== true);
  const others = runs
    .map((each) => ({ name: nameOf(each), licence: licenceOf(each) }))
    .filter(({ licence }) => !ALLOWED.test(licence));
  const data = others.filter(({ licence }) => ATTRIBUTED.test(licence)).map(({ name }) => name);
  expect(others.map(({ name }) => name)).toEqual(data);
  const notice = readFileSync(join(ROOT, 'NOTICE'), 'utf8');
  for (const name of data) expect(notice).toContain(name);
});

test('docs/licences.md is what `npm run licences` writes', () => {
  expect(readFileSync(FILE, 'utf8')).toBe(licencesPage());
});
