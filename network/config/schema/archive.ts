// What is recorded, for how long, and where it is kept.

import { z } from '../yaml.ts';
import { baseUrl, file, streamPattern } from './values.ts';

const hours = z.number().positive().nullable();
const days = z.number().positive().nullable();
const renditions = z.enum(['source', 'all']);

const rule = z.strictObject({
  stream: streamPattern.describe('The name of a stream, or the beginning of some and `*`.'),
  record: z.boolean().optional().describe('As above.'),
  maxHours: hours.optional().describe('As above.'),
  keepDays: days.optional().describe('As above.'),
  renditions: renditions.optional().describe('As above.'),
});

const s3 = z.strictObject({
  endpoint: baseUrl.meta({
    description: 'With the bucket.',
    example: 'https://s3.example.org/recordings',
  }),
  region: z.string().min(1).default('auto').describe('As the object store calls it.'),
  accessKeyId: z.string().min(1, 'it is given here, or by HEADWATER_S3_ACCESS_KEY_ID').meta({
    description: 'HEADWATER_S3_ACCESS_KEY_ID goes before it.',
    example: 'headwater',
  }),
  secretAccessKey: z.string().min(1, 'it is given here, or by HEADWATER_S3_SECRET_ACCESS_KEY').meta({
    description: 'HEADWATER_S3_SECRET_ACCESS_KEY goes before it.',
    example: 'file:/run/secrets/s3',
  }),
  signedUrls: z.enum(['never', 'overflow', 'always']).default('never').meta({
    description:
      'Whether viewers read from the store itself, by signed addresses: when servers are full, or whenever no server has the bytes on its disks.',
    example: 'overflow',
  }),
});

const storage = z
  .strictObject({
    directories: z
      .array(file)
      .min(1)
      .max(64)
      .optional()
      .meta({
        description: 'Folders of mounted disks, each with the same right to new files. Either these or `s3`.',
        example: ['/mnt/archive'],
      }),
    s3: s3.optional().describe('An S3-compatible object store.'),
  })
  .refine(({ directories, s3: store }) => (directories === undefined) !== (store === undefined), {
    error: 'storage is either `directories` or `s3`',
  });

export const archive = z.strictObject({
  record: z.boolean().default(true).describe('Whether streams are recorded.'),
  maxHours: hours.default(null).describe('Of a broadcast, what comes later is not recorded; null: no limit.'),
  keepDays: days.default(7).describe('How long recordings are kept on disks and in storage; null: for ever.'),
  renditions: renditions
    .default('source')
    .describe(
      '`all`: also those that are made of it. They cost as much space again; `source` can be watched by all whom it suits.',
    ),
  perStream: z
    .array(rule)
    .max(10_000)
    .default([])
    .describe(
      'What is otherwise for some streams: the first rule that fits a name and says something holds.',
    ),
  folders: z
    .array(file)
    .max(64)
    .default([])
    .describe('One folder on each disk; `recordings` in `data` when none is given.'),
  pictures: z.boolean().default(true).describe('Make pictures of what is recorded, where ffmpeg is.'),
  fileS: z.number().min(10).max(86_400).default(600).describe('Media time in one file, seconds.'),
  syncS: z
    .number()
    .positive()
    .nullable()
    .default(5)
    .describe(
      'How often recorded files are synced: what is younger is lost in a power cut. Null: when the system does it by itself.',
    ),
  reserveMb: z.number().min(0).default(1_024).describe('A disk with less free space takes no new files.'),
  storage: storage
    .optional()
    .describe('Where recorded files are copied to when they are complete, to be kept there.'),
  uploadMbps: z
    .number()
    .positive()
    .default(200)
    .describe('What uploads to storage may take, with nobody watching.'),
  cacheMb: z
    .number()
    .min(64)
    .default(2_048)
    .describe('What of storage is kept in `data` while it is watched.'),
});
