// The archive that the configuration asks for.

import type { Config } from '../../network/config/schema/schema.ts';
import { Archive, type ArchiveOptions } from './archive.ts';
import { createPolicy } from './policy.ts';

export type OpenArchiveOptions = Omit<
  ArchiveOptions,
  'fileMs' | 'syncMs' | 'reserveBytes' | 'policy' | 'files'
> & {
  readonly config: Pick<Config, 'archive'>;
};

export function openArchive({ config, ...options }: OpenArchiveOptions): Promise<Archive> {
  const { fileS, syncS, reserveMb } = config.archive;
  return Archive.open({
    ...options,
    fileMs: fileS * 1000,
    syncMs: syncS === null ? undefined : syncS * 1000,
    reserveBytes: reserveMb * 1_000_000,
    policy: createPolicy(config.archive),
  });
}
