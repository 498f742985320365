// What owners order of their recordings: usher passes it on as it came, and the servers that have the bytes read it.

import { z } from '../config/yaml.ts';
import { MAX_TITLE } from './manifest.ts';

const title = z.string().max(MAX_TITLE);
const seconds = z.number().min(0);

export const SAID_ORDER = z.strictObject({ title: title.optional(), isKept: z.boolean().optional() });

/** Seconds from the beginning of the recording, or so much of its end. */
export const CLIP_ORDER = z.union(
  [
    z.strictObject({ from: seconds, to: seconds, title: title.optional() }),
    z.strictObject({ last: seconds, title: title.optional() }),
  ],
  'a clip is {"from": <seconds>, "to": <seconds>} or {"last": <seconds>}, with a title or without',
);
