// Who this process is to whom it speaks TLS with: certificate and key from PEM files, read again when they are replaced.

import { readFile } from 'node:fs/promises';
import { createSecureContext, getCACertificates } from 'node:tls';
import type { Clock } from '../clock.ts';
import { CodedError, reasonOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { Reloaded } from '../reloaded.ts';

export interface IdentityFiles {
  /** The certificate, and behind it those of the authorities between it and one that is known. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities that are believed beside those of the system. */
  readonly caFile?: string | undefined;
}

/** PEM, as `node:tls` takes it. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
  /** Those of `caFile`; undefined without one. */
  readonly ownAuthorities: string | undefined;
}

type Listeners = Set<(credentials: Credentials) => void>;

export class Identity implements Disposable {
  readonly #files: Reloaded<Credentials>;
  readonly #listeners: Listeners;

  /** Rejects with `bad_certificate` when the files can't be read, or the key is not the certificate's. */
  static async open(
    files: IdentityFiles,
    { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  ): Promise<Identity> {
    const listeners: Listeners = new Set();
    const reloaded = await Reloaded.open({
      what: 'the certificate',
      files: [files.certFile, files.keyFile, ...(files.caFile === undefined ? [] : [files.caFile])],
      read: () => readCredentials(files),
      onRead: (credentials) => {
        for (const listener of listeners) listener(credentials);
      },
      clock,
      logger,
    });
    return new Identity(reloaded, listeners);
  }

  private constructor(files: Reloaded<Credentials>, listeners: Listeners) {
    this.#files = files;
    this.#listeners = listeners;
  }

  get credentials(): Credentials {
    return this.#files.value;
  }

  /** Calls back with what the files hold each time they have changed; a connection that is open goes on as it is. */
  subscribe(listener: (credentials: Credentials) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Looks at the files now. */
  check(): Promise<void> {
    return this.#files.check();
  }

  [Symbol.dispose](): void {
    this.#files[Symbol.dispose]();
  }
}

/** Those of the system, of `NODE_EXTRA_CA_CERTS`, and one's own. */
export function authoritiesOf({ ownAuthorities }: Credentials): string[] {
  return [...getCACertificates('default'), ...(ownAuthorities === undefined ? [] : [ownAuthorities])];
}

async function readCredentials({ certFile, keyFile, caFile }: IdentityFiles): Promise<Credentials> {
  const [cert, key, ownAuthorities] = await Promise.all(
    [certFile, keyFile, caFile].map((file) => (file === undefined ? undefined : readFile(file, 'utf8'))),
  );
  try {
    createSecureContext({ cert, key, ca: ownAuthorities });
  } catch (error) {
    throw new CodedError('bad_certificate', reasonOf(error), { cause: error });
  }
  return { cert: cert!, key: key!, ownAuthorities };
}
