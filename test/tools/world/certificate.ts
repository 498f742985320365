// A certificate for tests that is its own authority, made by openssl.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { lastingFolder } from './scratch-folder.ts';

const REQUEST = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'.split(' ');

/** Paths of PEM files; it is good for 127.0.0.1 and for `name`. */
export function makeCertificate(name: string): { readonly certFile: string; readonly keyFile: string } {
  const folder = lastingFolder();
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name},IP:127.0.0.1`];
  const files = ['-out', certFile, '-keyout', keyFile];
  execFileSync('openssl', [...REQUEST, ...subject, ...files], { stdio: 'ignore' });
  return { certFile, keyFile };
}
